"""The card: proposed until decided, evidence counted anew, approved rules measured beside the declared checks."""

from datetime import UTC, datetime

from curation.checks import declared, failures
from curation.mining import Change
from curation.voice_card import card_of, markdown, prompt_lines, with_rules
from storage.records import RuleState, VoiceRule

AT = datetime(2026, 11, 21, tzinfo=UTC)


def decided(kind: str, value: str, state: RuleState = RuleState.APPROVED) -> VoiceRule:
    return VoiceRule("voice", kind, value, state, "actor", AT)


def changes(number: int) -> list[Change]:
    return [Change(f"corr_{n:02}", f"Unfortunately {n}", f"It is {n}. Your crew") for n in range(number)]


def test_a_rule_is_proposed_until_it_is_decided():
    card = card_of(
        changes(15), [decided("sign_off", "your crew"), decided("forbidden", "unfortunately", RuleState.REJECTED)]
    )
    by_key = {each.found.rule.key: each.decision and each.decision.state for each in card}
    assert by_key["sign_off:your crew"] is RuleState.APPROVED
    assert by_key["forbidden:unfortunately"] is RuleState.REJECTED
    assert prompt_lines(card) == ["End with “your crew”."]


def test_a_forgotten_correction_is_cited_no_more_and_a_decision_stays():
    known = [decided("sign_off", "your crew")]
    (before,) = [each for each in card_of(changes(15), known) if each.is_approved]
    (after,) = [each for each in card_of(changes(3), known) if each.is_approved]
    (none,) = card_of([], known)
    assert len(before.found.supported_by) == 15
    assert after.found.supported_by == ("corr_00", "corr_01", "corr_02")
    assert none.found.supported_by == ()
    assert "No answer is approved now." in markdown("puffin", [none])


def test_approved_rules_are_checks_beside_the_declared_ones():
    rules = [
        decided("forbidden", "unfortunately"),
        decided("sign_off", "your crew"),
        decided("style", "no_emoji"),
        decided("most_words", "10"),
        decided("language", "de"),
        decided("required", "hello", RuleState.REJECTED),
    ]
    checks = with_rules({"forbidden": ["cheap"], "language": "en"}, rules)
    assert checks == {
        "forbidden": ["cheap", "unfortunately"],
        "required": ["your crew"],
        "style": ["no_emoji"],
        "length": {"most_words": 10},
        "language": "en",
    }
    found = failures("Unfortunately 😀", declared(checks))
    assert [failure.check for failure in found] == ["required", "forbidden", "style"]
    assert with_rules({"length": {"least_words": 20}}, rules)["length"] == {"least_words": 20}
    assert with_rules({}, []) == {}


def test_as_markdown_it_cites_what_is_behind_each_rule():
    card = card_of(changes(15), [decided("sign_off", "your crew")])
    text = markdown("puffin", card)
    assert text.startswith(
        "# Voice card: puffin\n\n## Approved\n\n- **End with “your crew”.** 15 corrections made an answer"
    )
    assert "15 of 15 approved answers do (80 to 100 %, with 95 % confidence)." in text
    assert "  Behind it: corr_00, corr_01" in text
    assert "## Proposed\n\n- **Never say “unfortunately”.**" in text
    assert text.endswith("## Lines for the short prompt\n\n```\nEnd with “your crew”.\n```\n")
    assert markdown("puffin", []) == "# Voice card: puffin\n\nApproved corrections show no rule yet.\n"

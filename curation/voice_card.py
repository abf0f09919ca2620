"""The voice card: the rules that a voice's approved corrections show, and what approvers decided about each.

What speaks for a rule is counted anew each time, so a forgotten correction is cited no more. Approved rules are measured in
every evaluation beside the declared checks, and offered as lines of the short prompt.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from curation.mining import Change, Found, Rule, RuleKind, measured, mined
from storage.records import Correction, RuleState, VoiceRule
from storage.store import Store

LOOKED_AT = 2_000  # the newest approved corrections; older ones show an older voice, and all would take seconds


@dataclass(frozen=True, slots=True)
class CardRule:
    """A rule with its evidence now, and the decision about it; None while it is proposed."""

    found: Found
    decision: VoiceRule | None = None

    @property
    def is_approved(self) -> bool:
        """Whether it holds."""
        return self.decision is not None and self.decision.state is RuleState.APPROVED


async def voice_card(store: Store, voice_id: str) -> list[CardRule]:
    """The voice's card: what is proposed and what was decided, the surest first."""
    approved, decided = await store.corrections.approved(voice_id), await store.voice_rules.of(voice_id)
    return await asyncio.to_thread(card_of, changes_of(approved), decided)


def changes_of(approved: Sequence[Correction]) -> list[Change]:
    """What is mined: the newest approved corrections (in id order, which is by age) that are for training."""
    usable = [each for each in approved if each.is_for_training and each.corrected_text.strip()]
    return [Change(each.id, each.served_text, each.corrected_text) for each in usable[-LOOKED_AT:]]


def card_of(changes: Sequence[Change], decided: Iterable[VoiceRule]) -> list[CardRule]:
    """Proposed and decided rules; a decided one is shown with its evidence also where it would not be found again."""
    decisions = {rule_of(each): each for each in decided}
    found = {each.rule: each for each in mined(changes)}
    for rule in decisions:
        found.setdefault(rule, measured(rule, changes))
    shown = [CardRule(each, decisions.get(rule)) for rule, each in found.items()]
    return sorted(shown, key=lambda each: (each.found.p, each.found.rule))


def rule_of(decision: VoiceRule) -> Rule:
    """The rule that a decision is about."""
    return Rule(RuleKind(decision.kind), decision.value)


async def checks_of(store: Store, voice_id: str) -> dict[str, Any]:
    """What answers of a voice keep to now: what an admin declared, and the approved rules of its card."""
    return with_rules(await store.voices.checks(voice_id), await store.voice_rules.of(voice_id))


def with_rules(declared: Mapping[str, Any], decisions: Iterable[VoiceRule]) -> dict[str, Any]:
    """The declared checks of a voice with its approved rules, as `checks.declared` takes them.

    What an admin declared comes first: of two languages or lengths at odds, theirs holds.
    """
    checks: dict[str, Any] = dict(declared)
    for rule in (rule_of(each) for each in decisions if each.state is RuleState.APPROVED):
        match rule.kind:
            case RuleKind.FORBIDDEN:
                _add(checks, "forbidden", rule.value)
            case RuleKind.REQUIRED | RuleKind.OPENING | RuleKind.SIGN_OFF:
                _add(checks, "required", rule.value)
            case RuleKind.STYLE:
                _add(checks, "style", rule.value)
            case RuleKind.LANGUAGE:
                checks.setdefault("language", rule.value)
            case RuleKind.MOST_WORDS:
                if "length" not in declared:
                    known = checks.get("length", {}).get("most_words", int(rule.value))
                    checks["length"] = {"most_words": min(known, int(rule.value))}
    return checks


def _add(checks: dict[str, Any], name: str, value: str) -> None:
    known: Sequence[str] = checks.get(name, ())
    if value not in known:
        checks[name] = [*known, value]


def prompt_lines(card: Iterable[CardRule]) -> list[str]:
    """What the approved rules add to a short prompt, a line each."""
    return [each.found.rule.sentence for each in card if each.is_approved]


def evidence_of(found: Found) -> str:
    """A rule's evidence in a sentence: "7 corrections made an answer keep to it. 40 of 41 approved answers do (…)."."""
    kept, share = found.answers - len(found.broken_by), found.kept
    made = (
        f"{len(found.supported_by)} correction{'' if len(found.supported_by) == 1 else 's'} made an answer keep to it."
    )
    if not found.answers:
        return f"{made} No answer is approved now."
    between = f"{share.low * 100:.0f} to {share.high * 100:.0f} %, with 95 % confidence"
    return f"{made} {kept} of {found.answers} approved answers do ({between})."


def markdown(voice: str, card: Sequence[CardRule]) -> str:
    """The card as Markdown, each rule citing the corrections behind it."""
    lines = [f"# Voice card: {voice}", ""]
    if not card:
        return "\n".join([*lines, "Approved corrections show no rule yet.", ""])
    for title, state in (("Approved", RuleState.APPROVED), ("Proposed", None), ("Rejected", RuleState.REJECTED)):
        rules = [each for each in card if (each.decision.state if each.decision else None) is state]
        if not rules:
            continue
        lines += [f"## {title}", ""]
        for each in rules:
            lines += [f"- **{each.found.rule.sentence}** {evidence_of(each.found)}"]
            lines += [f"  Behind it: {', '.join(each.found.supported_by)}"] if each.found.supported_by else []
            lines += [f"  Against it: {', '.join(each.found.broken_by)}"] if each.found.broken_by else []
        lines.append("")
    if said := prompt_lines(card):
        lines += ["## Lines for the short prompt", "", "```", *said, "```", ""]
    return "\n".join(lines)

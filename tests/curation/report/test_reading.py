"""An evaluation read for people: arms, suites, what improved, what a reply costs."""

from datetime import date
from decimal import Decimal

from curation.blind import counted_pairs
from curation.prices import Item, Price, PriceKey, Unit
from curation.report import Report, markdown, read_report
from curation.report.curve import curve, fit
from curation.report.plots import Bar, bars, losses
from curation.tariff import Tariff
from storage.records import Evaluation, PairVote, Preference, RunEvent, SampleScore, Suite
from storage.records.runs import Verdict
from tests.curation.report.scenes import NOW, a_run, an_evaluation, sample, step

HERE = Tariff("tuner", is_this_machine=True)


def numbered(name: str) -> str:
    return {"base": "model 0", "ft:1": "model 1"}[name]


def report(
    evaluation: Evaluation,
    events: list[tuple[int, RunEvent]] | None = None,
    votes: list[PairVote] | None = None,
    tariff: Tariff = HERE,
) -> Report:
    return read_report(
        a_run(), evaluation, events or [], votes or [], name_of=numbered, pairs=counted_pairs, tariff=tariff
    )


def test_four_arms_stand_in_one_order_with_their_means():
    found = report(an_evaluation(sample(1, 0.25, 0.75), sample(2, 0.75, 0.75)))
    assert [(row.way, row.score) for row in found.arms] == [
        ("base", 0.25),
        ("few_shot", 0.5),
        ("incumbent", 0.5),
        ("candidate", 0.75),
    ]
    assert found.arms[3].name == "model 1, the new model"


def test_a_suite_is_counted_apart_and_does_not_move_the_target():
    general = sample(3, 1.0, 0.0, Suite.GENERAL)
    found = report(an_evaluation(sample(1, 0.25, 0.75), general))
    target, other = found.suites
    assert (target.asked, target.candidate, target.better, target.worse) == (1, 0.75, 1, 0)
    assert (other.name, other.asked, other.base, other.better, other.worse) == ("general suite", 1, 0.25, 0, 1)
    assert found.arms[3].score == 0.75


def test_what_improved_what_got_worse_and_the_worst_are_ranked():
    samples = [sample(n, 0.5, n / 10) for n in range(10)]
    found = report(an_evaluation(*samples))
    assert [each.correction_id for each in found.improved] == ["c9", "c8", "c7", "c6"]
    assert [each.correction_id for each in found.worsened] == ["c0", "c1", "c2", "c3", "c4"]
    assert [each.correction_id for each in found.worst] == ["c0", "c1", "c2", "c3", "c4"]


def test_a_reply_costs_its_tokens_and_a_price_is_reckoned_for_a_thousand():
    prices = {
        PriceKey("shop", "base", item): Price(
            Decimal(amount), Unit.MILLION_TOKENS, "USD", "https://x", date(2026, 1, 2)
        )
        for item, amount in ((Item.INPUT, "10"), (Item.OUTPUT, "100"))
    }
    found = report(an_evaluation(sample(1, 0, 1)), tariff=Tariff("shop", prices=prices))
    before, after = found.upkeep
    assert (before.prompt_tokens, before.completion_tokens, str(before.money)) == (100, 20, "$3.00")
    assert (after.prompt_tokens, str(after.money)) == (40, "$1.40")
    assert found.bill.startswith("At $10 per 1,000,000 tokens (https://x, 2026-01-02) and")


def test_an_unknown_price_is_said_and_this_machine_bills_nobody():
    assert report(an_evaluation(sample(1, 0, 1))).bill.startswith("Nothing is paid by the token")
    unknown = report(an_evaluation(sample(1, 0, 1)), tariff=Tariff("shop"))
    assert unknown.bill == "What shop charges by the token is not known here; FINETONE_PRICES gives it."
    assert [row.money for row in unknown.upkeep] == [None, None]


def test_an_evaluation_from_before_anything_was_counted_still_has_its_report():
    old = Evaluation(
        "run_1", "base", "ft:1", (SampleScore("c", "q", "r", "a", "b", 0, 1),), 0.02, Verdict.BETTER, "Ok.", NOW
    )
    found = report(old)
    assert [row.way for row in found.arms] == ["incumbent", "candidate"]
    assert found.upkeep == ()
    assert "## Checks" not in markdown(found)


def test_blind_pairs_are_one_verdict_each_by_the_first_choice():
    chosen = [("c1", "candidate"), ("c1", "incumbent"), ("c1", "incumbent"), ("c2", "neither"), ("c2", "incumbent")]
    votes = [
        PairVote("run_1", id, f"mod-{at}", Preference(preference), True, NOW)
        for at, (id, preference) in enumerate(chosen)
    ]
    found = report(an_evaluation(sample(1, 0, 1)), votes=votes)
    assert (found.votes.wins, found.votes.losses, found.votes.ties) == (1, 0, 1)
    assert "judged 2 pairs without names: 1 for model 1, 0 for model 0, 1 alike." in markdown(found)


def test_the_worst_answers_are_those_to_held_out_questions():
    cases = [sample(n, 0.0, 0.0, Suite.GENERAL) for n in range(5)]
    found = report(an_evaluation(*cases, sample(9, 0.5, 0.5)))
    assert [each.correction_id for each in found.worst] == ["c9"]


# ---------------------------------------------------------------- training


def test_the_end_of_training_is_read_from_the_jobs_events():
    events = [step(1, train_loss=3.0), step(2, train_loss=1.0, valid_loss=2.0, valid_mean_token_accuracy=0.625)]
    assert curve(events) == {"steps": [1, 2], "train_loss": [3.0, 1.0], "valid_loss": [None, 2.0]}
    assert f"{fit(events).perplexity:.2f}" == "7.39"
    assert fit(events).token_accuracy == 0.625
    assert fit([]).perplexity is None
    said = markdown(report(an_evaluation(sample(1, 0, 1)), events))
    assert "At the last step: perplexity 7.39 on held-out texts, 62% of tokens guessed." in said


# ---------------------------------------------------------------- as Markdown


def test_markdown_has_every_part_and_its_plots():
    kept: dict[str, str] = {}
    found = report(an_evaluation(sample(1, 0.25, 0.75), sample(2, 0.5, 0.25)), [step(1, train_loss=3.0)])
    said = markdown(found, lambda name, svg: f"plots/{kept.setdefault(name, svg) and name}.svg")
    for title in ("Score by way to answer", "Better, alike, worse", "Checks", "What a reply costs", "Blind pairs"):
        assert f"## {title}\n" in said
    assert said.startswith("# Model 1 is better than model 0\n\nCloser.\n")
    assert "| length | 1 of 2 | 2 of 2 |" in said
    assert "![arms](plots/arms.svg)" in said
    assert set(kept) == {"arms", "suites", "loss"}


def test_a_candidate_that_is_not_better_is_not_called_so():
    found = report(an_evaluation(sample(1, 1, 0), verdict=Verdict.NOT_PROVEN))
    assert found.heading == "Model 1 is not proven better than model 0"


def test_nothing_a_model_says_becomes_markup():
    hostile = SampleScore("c", "# Hi\n```\n![x](http://e)", "r|s", "```", "````\n<script>", 0.0, 1.0)
    said = markdown(report(an_evaluation(hostile)))
    outside = [part for at, part in enumerate(_parted(said)) if at % 2 == 0]
    assert not any("<script>" in part or "http://e" in part for part in outside)


def _parted(text: str) -> list[str]:
    """Outside and inside code blocks in turn, by the fences' own rule: as long as the one that opened, or longer."""
    parts, fence = [""], ""
    for line in text.split("\n"):
        ticks = len(line) - len(line.lstrip("`"))
        if not fence and ticks >= 3:
            fence, parts = "`" * ticks, [*parts, ""]
        elif fence and line.strip("`") == "" and ticks >= len(fence):
            fence, parts = "", [*parts, ""]
        else:
            parts[-1] += line + "\n"
    return parts


def test_erased_words_stay_erased():
    said = markdown(report(an_evaluation(SampleScore("c", "", "", "", "", 0.25, 0.75))))
    assert said.count("(erased)") >= 4


# ---------------------------------------------------------------- plots


def test_a_plot_says_what_it_shows_and_escapes_what_it_is_given():
    svg = bars("Two & more", [Bar("<b>", 0.5, True), Bar("none", None)])
    assert 'aria-label="Two &amp; more"' in svg
    assert "<b>" not in svg
    assert "0.500" in svg
    assert "style" not in svg
    assert "<style>" in bars("x", [], alone=True)


def test_a_curve_of_one_step_and_of_none_can_be_drawn():
    one = {"steps": [1.0], "train_loss": [3.0], "valid_loss": [None]}
    assert "step 1" in losses("Loss", one)
    assert losses("Loss", {"steps": [], "train_loss": [], "valid_loss": []}) == ""

"""Pure: the learning page's plots and sentences, and the whole of it as Markdown. Numbers come from curation/learning.py."""

from collections.abc import Mapping, Sequence

from curation.card_text import cell, table
from curation.learning import LEAST_GAPS, LEAST_JUDGED, MONTH_DAYS, WITHIN, Learning, NextRun, Taught, Took
from curation.report import plots
from curation.report.markdown import Keep, inlined
from storage.records import Correction, LearnedVerdict

DAYS_PER_YEAR = 365
NAMED = 5  # corrections of one run; the others are counted
ERASED = "(erased)"
LIKELIER = (
    "Likelier: how much likelier, in nats a token, the model finds a correction than what the bot had said, with no fix in its "
    "prompt; the mean of those that were scored, – where none was. No verdict rests on it."
)
NOTHING_YET = "No model was asked yet what it learned. The first run that ends says it here."


def learning_markdown(learning: Learning, named: Mapping[str, Correction], voice: str, keep: Keep = inlined) -> str:
    """The page as Markdown. `named` are the corrections that can be told by their questions; plots go through `keep`."""
    parts = [
        f"# What {cell(voice)} learned",
        *_learned(learning, named, keep),
        *_prompts(learning, keep),
        "## What it took",
        *took_sentences(learning.took),
        "## When the next run pays",
        *next_sentences(learning.next),
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def share_plot(learning: Learning, *, alone: bool = False) -> str:
    """The learned share of each judged model with its interval; "" where none was judged."""
    rows = [
        plots.Measure(
            _name(run), run.learned / run.judged, f"{run.learned} of {run.judged}", run.share.low, run.share.high, True
        )
        for run in learning.taught
    ]
    said = "; ".join(f"{row.name}: {row.said}, {row.low:.0%} to {row.high:.0%}" for row in rows)
    return plots.measures(f"Corrections learned, with 95 % intervals. {said}", rows, alone=alone) if rows else ""


def prompt_plot(learning: Learning, *, alone: bool = False) -> str:
    """Prompt tokens of a reply by model; "" where no model answered."""
    means = [(model.number, spent.prompt_tokens / spent.replies) for model, spent in learning.spent]
    longest = max((mean for _, mean in means), default=0.0) or 1.0
    rows = [plots.Measure(f"model {number}", mean / longest, f"{mean:,.0f} tokens") for number, mean in means]
    said = "; ".join(f"{row.name}: {row.said}" for row in rows)
    return plots.measures(f"Prompt tokens of a reply. {said}", rows, alone=alone) if rows else ""


def took_sentences(took: Took) -> tuple[str, ...]:
    """What training and deciding took, and how each number comes about."""
    return _training(took), _deciding(took)


def next_sentences(run: NextRun) -> tuple[str, ...]:
    """What is known of the next run, the verdict last."""
    said = [
        f"{_counted(run.new, 'approved correction')} {_is_are(run.new)} new to the serving model, and {run.unlearned:,} in force "
        f"{_is_are(run.unlearned)} not in its weights: fixes that a prompt may carry. In {MONTH_DAYS} days they took "
        f"{_counted(run.fix_tokens, 'token')} of prompts."
    ]
    if run.refusal:
        return (*said, f"No run may start now. {run.refusal}")
    if run.cost:
        said.append(f"A run costs: {run.cost}.")
    return (*said, _pays(run))


def question_of(named: Mapping[str, Correction], id: str) -> str:
    """What a correction is called: by its question, or that it is erased."""
    found = named.get(id)
    return (" ".join(found.question.split()) if found is not None else "") or ERASED


# ---------------------------------------------------------------- sentences


def _training(took: Took) -> str:
    if not took.runs:
        return "Nothing was trained yet."
    passes = f"{_counted(took.runs, 'run')} read {_counted(took.tokens, 'token')} in all passes"
    if took.is_free:
        return f"{passes}. Nothing was paid: the tuner trains on this machine."
    if took.money is None:
        return f"{passes}. What that cost is not known here; FINETONE_PRICES gives a price."
    each = took.money_each
    said = f"{passes}: {took.money} at the prices known today"
    return f"{said}, {each} for each of the {_counted(took.learned, 'learned correction')}." if each else f"{said}."


def _deciding(took: Took) -> str:
    if took.seconds is None:
        return (
            f"How long moderators took is not known: that takes {LEAST_GAPS} decisions that one person made within "
            f"{WITHIN.seconds // 60} minutes of another."
        )
    said = (
        f"{_counted(took.decisions, 'decision')} at about {_counted(round(took.seconds), 'second')}, the median between two that "
        f"one person made within {WITHIN.seconds // 60} minutes"
    )
    each = took.minutes_each
    said += f": {each:.1f} minutes for each learned correction" if each is not None else ""
    return f"{said}. Writing corrections is not counted; nothing here knows how long it took."


def _pays(run: NextRun) -> str:
    if not run.fix_tokens:
        return "A run would save no tokens of prompts: no reply of those days was shown a fix that is not learned."
    if run.share is None:
        return (
            f"Whether it pays is not known until {LEAST_JUDGED} corrections of one model were judged: nothing says yet how many "
            "a run teaches."
        )
    low, high = run.saved or (0, 0)
    said = (
        f"Were it to teach the share that the newest judged model learned ({run.share.low:.0%} to {run.share.high:.0%}), "
        f"it would save {low:,} to {high:,} tokens of prompts a month"
    )
    if run.days is None:
        return f"{said}. What that is worth is not known: it takes a price of training and one of prompts, in one currency."
    fastest, slowest = run.days
    return f"{said}, and so its cost in {_span(fastest, slowest)}."


def _span(fastest: float, slowest: float) -> str:
    """So many days; beyond two years nobody plans by the day."""
    if slowest > 2 * DAYS_PER_YEAR:
        return f"{fastest / DAYS_PER_YEAR:,.1f} to {slowest / DAYS_PER_YEAR:,.1f} years"
    return f"{fastest:,.0f} to {slowest:,.0f} days"


# ---------------------------------------------------------------- Markdown


def _learned(learning: Learning, named: Mapping[str, Correction], keep: Keep) -> list[str]:
    if not learning.taught:
        return [NOTHING_YET]
    head = ["model", "asked", "learned", "95 %", "not yet", "over-generalised", "taught", "forgot"]
    is_scored = any(run.log_margin is not None for run in learning.taught)
    rows = [
        [
            f"{run.model.number}" + ("" if run.has_served else " (never served)"),
            str(run.judged),
            str(run.learned),
            f"{run.share.low:.0%} to {run.share.high:.0%}",
            str(run.verdicts[LearnedVerdict.NOT_YET]),
            str(run.verdicts[LearnedVerdict.OVER_GENERALISED]),
            str(len(run.new)),
            str(len(run.forgotten)),
            *([likelier(run)] if is_scored else []),
        ]
        for run in learning.taught
    ]
    return [
        f"![learned share]({keep('learned', share_plot(learning, alone=True))})",
        table([*head, "likelier"] if is_scored else head, rows),
        LIKELIER if is_scored else "",
        *(_named(run, named) for run in learning.taught),
    ]


def likelier(run: Taught) -> str:
    """How much likelier the model finds corrections than what the bot had said."""
    return "–" if run.log_margin is None else f"{run.log_margin:+.2f}"


def _named(run: Taught, named: Mapping[str, Correction]) -> str:
    lists = [
        f"- {what}: {'; '.join(cell(question_of(named, id)) for id in ids[:NAMED])}{_more(ids)}"
        for what, ids in (("taught", run.new), ("forgot", run.forgotten))
        if ids
    ]
    return "\n".join([f"{_name(run).capitalize()}:", "", *lists]) if lists else ""


def _more(ids: Sequence[str]) -> str:
    return f"; and {len(ids) - NAMED} more" if len(ids) > NAMED else ""


def _prompts(learning: Learning, keep: Keep) -> list[str]:
    if not learning.spent:
        return []
    head = ["model", "replies", "with fixes", "prompt tokens a reply"]
    rows = [
        [
            str(model.number),
            f"{spent.replies:,}",
            f"{spent.with_fixes / spent.replies:.0%}",
            f"{spent.prompt_tokens / spent.replies:,.0f}",
        ]
        for model, spent in learning.spent
    ]
    plot = keep("prompts", prompt_plot(learning, alone=True))
    return ["## What a reply carries", f"![prompt tokens of a reply]({plot})", table(head, rows)]


def _name(run: Taught) -> str:
    return f"model {run.model.number}" + ("" if run.has_served else ", never served")


def _counted(number: int, one: str) -> str:
    return f"{number:,} {one if number == 1 else one + 's'}"


def _is_are(number: int) -> str:
    return "is" if number == 1 else "are"

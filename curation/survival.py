"""Pure: what of the corrections survives on another base, each named kept, better or lost, as Markdown."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from statistics import fmean

from storage.records import Model, SampleScore

SAME_WITHIN = 0.05  # points of [0, 1] by which two answers' nearness differs without anybody seeing it
LOST_SHOWN = 20  # corrections shown with all answers; the rest is counted


class Fate(StrEnum):
    """What became of a correction on the other base."""

    KEPT = "kept"
    BETTER = "better"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Survivor:
    """One correction: what the serving model says (incumbent), the one trained elsewhere (candidate), that base untrained."""

    sample: SampleScore
    is_held_out: bool  # not among what was trained on

    @property
    def fate(self) -> Fate:
        """Against the serving model, by nearness to the approved answer."""
        change = self.sample.candidate_score - self.sample.incumbent_score
        return Fate.LOST if change < -SAME_WITHIN else Fate.BETTER if change > SAME_WITHIN else Fate.KEPT


@dataclass(frozen=True, slots=True)
class Report:
    """A drill's outcome."""

    voice_name: str
    serving: Model
    vendor: str
    base_model: str
    model_name: str
    dataset_id: str
    trained_on: int  # examples
    survivors: tuple[Survivor, ...]
    at: datetime

    def of(self, *, held_out: bool) -> tuple[Survivor, ...]:
        """Those kept back, or those trained on."""
        return tuple(one for one in self.survivors if one.is_held_out is held_out)

    def counts(self) -> dict[str, int]:
        """How many were asked, kept, better and lost."""
        fates = [one.fate for one in self.survivors]
        return {"asked": len(fates), **{fate.value: fates.count(fate) for fate in Fate}}

    def sentence(self) -> str:
        """The outcome in words."""
        held_out = self.of(held_out=True)
        counts = self.counts()
        means = "" if not held_out else f" {_means(held_out)}"
        return (
            f"On {self.base_model} at {self.vendor}, {counts['kept'] + counts['better']} of {counts['asked']} corrections "
            f"asked about survive ({counts['better']} better, {counts['lost']} lost).{means} Nothing was switched."
        )


def markdown(report: Report) -> str:
    """The report for people who decide whether to move."""
    lines = [
        f"# Migration drill: {_line(report.voice_name)} on {_line(report.base_model)}",
        "",
        report.sentence(),
        "",
        f"- Serving now: model {report.serving.number}, `{_code(report.serving.name)}` on `{_code(report.serving.base_model)}`",
        f"- Tried: `{_code(report.model_name)}`, trained on {report.trained_on} examples of dataset `{report.dataset_id}`",
        f"- When: {report.at:%Y-%m-%d %H:%M} UTC",
        f"- Kept: no more than {SAME_WITHIN:.2f} points farther from the approved answer than what serves says now",
        "",
        "| | asked | kept | better | lost | serving now | trained there | that base untrained |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
        *(
            _row(title, report.of(held_out=held_out))
            for title, held_out in (("kept back", True), ("trained on", False))
        ),
        "",
    ]
    lost = sorted(
        (one for one in report.survivors if one.fate is Fate.LOST),
        key=lambda one: one.sample.candidate_score - one.sample.incumbent_score,
    )
    lines += ["## Lost", ""] if lost else ["Nothing that was asked about is lost.", ""]
    for one in lost[:LOST_SHOWN]:
        lines += _shown(one)
    if len(lost) > LOST_SHOWN:
        lines += [f"{len(lost) - LOST_SHOWN} more are lost.", ""]
    lines += ["## Every correction asked about", ""]
    lines += ["| correction | side | fate | serving now | trained there |", "| --- | --- | --- | --- | --- |"]
    lines += [
        f"| `{one.sample.correction_id}` | {'kept back' if one.is_held_out else 'trained on'} | {one.fate} | "
        f"{one.sample.incumbent_score:.2f} | {one.sample.candidate_score:.2f} |"
        for one in report.survivors
    ]
    lines += [
        "",
        "## To move",
        "",
        f"Set `FINETONE_PROVIDER={_code(report.vendor)}` and `FINETONE_BASE_MODEL={_code(report.base_model)}`, start anew, and "
        "`finetone retrain`: the run trains from there on all corrections, and promotes on evidence as any other.",
        "",
    ]
    return "\n".join(lines)


def _row(title: str, survivors: Sequence[Survivor]) -> str:
    if not survivors:
        return f"| {title} | 0 | | | | | | |"
    fates = [one.fate for one in survivors]
    scores = [
        fmean(one.sample.incumbent_score for one in survivors),
        fmean(one.sample.candidate_score for one in survivors),
        fmean(answer.score for one in survivors for answer in one.sample.beside[:1]),
    ]
    cells = [str(len(fates)), *(str(fates.count(fate)) for fate in Fate), *(f"{score:.3f}" for score in scores)]
    return f"| {title} | {' | '.join(cells)} |"


def _means(survivors: Sequence[Survivor]) -> str:
    theirs = fmean(one.sample.candidate_score for one in survivors)
    ours = fmean(one.sample.incumbent_score for one in survivors)
    untrained = fmean(answer.score for one in survivors for answer in one.sample.beside[:1])
    return (
        f"On the {len(survivors)} questions kept back it scores {theirs:.3f}, the serving model {ours:.3f}, "
        f"that base without training {untrained:.3f}."
    )


def _shown(one: Survivor) -> list[str]:
    sample = one.sample
    return [
        f"### `{sample.correction_id}` ({sample.incumbent_score:.2f} → {sample.candidate_score:.2f})",
        "",
        *_block("Question", sample.question),
        *_block("Approved", sample.reference),
        *_block("Serving now", sample.incumbent_text),
        *_block("Trained there", sample.candidate_text),
    ]


def _block(title: str, text: str) -> list[str]:
    """Somebody's words as an indented block, in which nothing is markup."""
    return [f"{title}:", "", *(f"    {line}" for line in (text or "(nothing)").splitlines()), ""]


def _line(text: str) -> str:
    return "".join(f"\\{sign}" if sign in "\\`*_[]<>#|!" else sign for sign in " ".join(text.split()))


def _code(text: str) -> str:
    return " ".join(text.split()).replace("`", "ˋ")

"""Pure: a report as Markdown. What models and people said stands in code blocks, so that nothing in it can become markup."""

import base64
from collections.abc import Callable, Sequence

from curation.cost import Money
from curation.report import plots
from curation.report.reading import REPLIES, ArmRow, Report
from storage.records import SampleScore

Keep = Callable[[str, str], str]
"""Takes a plot's name and SVG, keeps it somewhere, and gives the address an image of it has."""

ERASED = "(erased)"
NOTHING = "(nothing)"


def inlined(name: str, svg: str) -> str:
    """The plot inside the address itself, so that one file is all."""
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"


def markdown(report: Report, keep: Keep = inlined) -> str:
    """The whole report. Plots go through `keep`."""
    parts = [
        f"# {report.heading}",
        report.evaluation.reason,
        f"Run {report.run.id}, compared {report.evaluation.evaluated_at:%-d %b %Y, %H:%M} UTC.",
        report.prompts,
        "## Score by way to answer",
        _image("arms", arms_plot(report, alone=True), keep),
        _arms(report.arms),
        "## Better, alike, worse",
        _image("suites", suites_plot(report, alone=True), keep),
        _suites(report),
        *_checks(report),
        *_upkeep(report),
        *_people(report),
        *_training(report, keep),
        *_samples("What improved most", report.improved, report),
        *_samples("What got worse", report.worsened, report),
        *_samples("The five worst answers", report.worst, report),
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def arms_plot(report: Report, *, alone: bool = False) -> str:
    """Nearness to the approved answers, by arm."""
    said = ", ".join(f"{row.name} {_points(row.score)}" for row in report.arms)
    rows = [plots.Bar(_short(row), row.score, row.way == "candidate") for row in report.arms]
    return plots.bars(f"Nearness to the approved answers: {said}", rows, alone=alone)


def suites_plot(report: Report, *, alone: bool = False) -> str:
    """Wins, ties and losses by suite."""
    said = "; ".join(f"{row.name}: {row.better} better, {row.same} alike, {row.worse} worse" for row in report.suites)
    rows = [plots.Split(row.name, row.better, row.same, row.worse) for row in report.suites]
    return plots.splits(f"Questions by which model answered better. {said}", rows, alone=alone)


def loss_plot(report: Report, *, alone: bool = False) -> str:
    """The loss by step; "" where the job told none."""
    return plots.losses("Loss by training step", dict(report.curve), alone=alone)


def fit_sentence(report: Report) -> str:
    """How well the texts are predicted in the end; "" where the job did not tell."""
    fit = report.fit
    said: list[str] = []
    if fit.perplexity is not None:
        said.append(
            f"perplexity {fit.perplexity:.2f} on {'held-out' if fit.valid_loss is not None else 'training'} texts"
        )
    if fit.token_accuracy is not None:
        said.append(f"{fit.token_accuracy:.0%} of tokens guessed")
    return f"At the last step: {', '.join(said)}." if said else ""


def _short(row: ArmRow) -> str:
    """A name that fits beside a bar."""
    return {"base": "base, prompt alone", "few_shot": "base, examples shown"}.get(row.way, row.name.split(",")[0])


def _image(name: str, svg: str, keep: Keep) -> str:
    return f"![{name}]({keep(name, svg)})" if svg else ""


def _arms(rows: Sequence[ArmRow]) -> str:
    head = ["", "nearness", "distinct-1", "distinct-2", "words", "refused"]
    return _table(
        head,
        [
            [
                row.name,
                _points(row.score),
                *(
                    [
                        _points(row.counts.distinct_1),
                        _points(row.counts.distinct_2),
                        _one(row.counts.words),
                        str(row.counts.refused),
                    ]
                    if row.counts
                    else ["–"] * 4
                ),
            ]
            for row in rows
        ],
    )


def _suites(report: Report) -> str:
    head = ["", "asked", report.incumbent, report.candidate, "base", "better", "alike", "worse"]
    return _table(
        head,
        [
            [
                row.name,
                str(row.asked),
                _points(row.incumbent),
                _points(row.candidate),
                _points(row.base),
                str(row.better),
                str(row.same),
                str(row.worse),
            ]
            for row in report.suites
        ],
    )


def _checks(report: Report) -> list[str]:
    if not report.checks:
        return []
    head = ["answers that keep to", *(_short(row) for row in report.arms if row.counts)]
    rows = [
        [
            name.replace("_", " "),
            *(f"{row.counts.kept[name]} of {row.counts.answers}" for row in report.arms if row.counts),
        ]
        for name in report.checks
    ]
    return ["## Checks", _table(head, rows)]


def _upkeep(report: Report) -> list[str]:
    if not report.upkeep:
        return []
    head = ["a reply of", "tokens in", "tokens out", f"{REPLIES:,} replies"]
    rows = [
        [row.name, _one(row.prompt_tokens), _one(row.completion_tokens), _money(row.money)] for row in report.upkeep
    ]
    return ["## What a reply costs", _table(head, rows), report.bill]


def _people(report: Report) -> list[str]:
    said = ["## Blind pairs", votes_sentence(report)]
    if report.judge is not None:
        said += [
            f"Judge {report.judge.model}: {report.judge.judged.sentence} {report.judge.at_equal_length.sentence} "
            "It decides nothing alone."
        ]
    return [*said, *report.notes]


def votes_sentence(report: Report) -> str:
    """What moderators found without knowing whose answer was whose."""
    votes = report.votes
    if not votes.total:
        return f"Nobody has judged a pair yet. {_plan(report)}"
    return (
        f"Moderators judged {votes.total} {'pair' if votes.total == 1 else 'pairs'} without names: {votes.wins} for "
        f"{report.candidate}, {votes.losses} for {report.incumbent}, {votes.ties} alike. {_plan(report)}"
    )


def _plan(report: Report) -> str:
    """What of it counted, by what was written down before the first question."""
    if report.people_count:
        return "By the plan, these choices decide on the held-out questions."
    return "By the plan, nearness to the approved answers decides; these choices are shown beside it."


def _training(report: Report, keep: Keep) -> list[str]:
    svg = loss_plot(report, alone=True)
    return ["## Training", _image("loss", svg, keep), fit_sentence(report)] if svg else []


def _samples(title: str, samples: Sequence[SampleScore], report: Report) -> list[str]:
    if not samples:
        return []
    said = [f"## {title}"]
    for sample in samples:
        said += [
            f"### {_points(sample.candidate_score)} against {_points(sample.incumbent_score)}",
            _block("Question", sample.question or ERASED),
            _block("Wanted", sample.reference or ERASED),
            _block(report.incumbent, _said(sample, sample.incumbent_text)),
            _block(report.candidate, _said(sample, sample.candidate_text)),
        ]
    return said


def _said(sample: SampleScore, text: str) -> str:
    return text or (NOTHING if sample.question else ERASED)


def _block(title: str, text: str) -> str:
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{title}:\n\n{fence}text\n{text}\n{fence}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---", *("---:" for _ in head[1:])], *rows]
    return "\n".join(f"| {' | '.join(_cell(cell) for cell in line)} |" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _points(score: float | None) -> str:
    return "–" if score is None else f"{score:.3f}"


def _one(number: float | None) -> str:
    return "–" if number is None else f"{number:.1f}"


def _money(money: Money | None) -> str:
    return "–" if money is None else str(money)

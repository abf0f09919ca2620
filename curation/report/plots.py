"""Pure: plots as SVG, drawn here, without a script. Colours come from the page's style sheet; alone, from ALONE.

Every plot has a title that says in words what it shows, for those who do not see it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

WIDTH, ROW, LABEL, GAP = 640, 30, 210, 8  # in the drawing's own units
SAID = 150  # room for words behind a bar
CURVE_HEIGHT, MARGIN = 200, 48

ALONE = """<style>
svg { font: 13px system-ui, sans-serif; background: #ffffff }
text { fill: #1b2129 } .soft { fill: #59616e } .track { fill: #dfdcd3 } .line { stroke: #dfdcd3 }
.a { fill: #0b6e5f } .b { fill: #a3540c } .c { fill: #8b8f97 } .span { fill: #1b2129 } .on { fill: #ffffff }
polyline { fill: none; stroke-width: 2 } .train { stroke: #0b6e5f } .valid { stroke: #a3540c }
circle.train { fill: #0b6e5f } circle.valid { fill: #a3540c }
</style>"""


@dataclass(frozen=True, slots=True)
class Bar:
    """A row of a plot: its name, its value in [0, 1] or None where nothing was asked, and whether it is the one compared."""

    name: str
    value: float | None
    is_ours: bool = False


@dataclass(frozen=True, slots=True)
class Split:
    """A row of wins, ties and losses."""

    name: str
    better: int
    same: int
    worse: int


@dataclass(frozen=True, slots=True)
class Measure:
    """A row of a plot: its name, how much of the width it takes in [0, 1], its interval where it has one, and its words."""

    name: str
    value: float
    said: str
    low: float | None = None
    high: float | None = None
    is_ours: bool = False


def measures(title: str, rows: Sequence[Measure], *, alone: bool = False) -> str:
    """Horizontal bars with their words behind them; an interval is a line across the bar's end."""
    room = WIDTH - LABEL - SAID
    drawn: list[str] = []
    for at, row in enumerate(rows):
        y = at * (ROW + GAP)
        drawn.append(_text(LABEL - 10, y + 20, row.name, "end"))
        drawn.append(f'<rect class="track" x="{LABEL}" y="{y + 4}" width="{room}" height="{ROW - 8}" rx="5"/>')
        width = max(2.0, min(1.0, row.value) * room)
        css = "a" if row.is_ours else "c"
        drawn.append(f'<rect class="{css}" x="{LABEL}" y="{y + 4}" width="{width:.1f}" height="{ROW - 8}" rx="5"/>')
        if row.low is not None and row.high is not None:
            left, right = LABEL + row.low * room, LABEL + row.high * room
            drawn.append(
                f'<rect class="span" x="{left:.1f}" y="{y + 13}" width="{right - left:.1f}" height="4" rx="2"/>'
            )
        drawn.append(_text(LABEL + room + 10, y + 20, row.said))
    return _svg(title, len(rows) * (ROW + GAP), drawn, alone)


def bars(title: str, rows: Sequence[Bar], *, alone: bool = False) -> str:
    """Horizontal bars from 0 to 1 with their numbers."""
    room = WIDTH - LABEL - 60
    drawn: list[str] = []
    for at, row in enumerate(rows):
        y = at * (ROW + GAP)
        drawn.append(_text(LABEL - 10, y + 20, row.name, "end"))
        drawn.append(f'<rect class="track" x="{LABEL}" y="{y + 4}" width="{room}" height="{ROW - 8}" rx="5"/>')
        if row.value is None:
            drawn.append(_text(LABEL + room + 10, y + 20, "–", css="soft"))
            continue
        width = max(2.0, min(1.0, max(0.0, row.value)) * room)
        css = "a" if row.is_ours else "c"
        drawn.append(f'<rect class="{css}" x="{LABEL}" y="{y + 4}" width="{width:.1f}" height="{ROW - 8}" rx="5"/>')
        drawn.append(_text(LABEL + room + 10, y + 20, f"{row.value:.3f}"))
    return _svg(title, len(rows) * (ROW + GAP), drawn, alone)


def splits(title: str, rows: Sequence[Split], *, alone: bool = False) -> str:
    """Stacked bars: how many questions were answered better, alike and worse."""
    room = WIDTH - LABEL
    drawn: list[str] = []
    for at, row in enumerate(rows):
        y, x = at * (ROW + GAP), float(LABEL)
        total = row.better + row.same + row.worse
        drawn.append(_text(LABEL - 10, y + 20, row.name, "end"))
        for count, css in ((row.better, "a"), (row.same, "c"), (row.worse, "b")):
            if count:
                width = room * count / total
                drawn.append(f'<rect class="{css}" x="{x:.1f}" y="{y + 4}" width="{width:.1f}" height="{ROW - 8}"/>')
                drawn.append(_text(x + width / 2, y + 20, str(count), "middle", "on"))
                x += width
    y = len(rows) * (ROW + GAP) + 16
    x = LABEL
    for name, css in (("better", "a"), ("alike", "c"), ("worse", "b")):
        drawn.append(f'<rect class="{css}" x="{x}" y="{y - 10}" width="12" height="12" rx="3"/>')
        drawn.append(_text(x + 18, y, name, css="soft"))
        x += 90
    return _svg(title, y + 8, drawn, alone)


def losses(title: str, curve: dict[str, list[Any]], *, alone: bool = False) -> str:
    """The loss by step, of training and, where it was measured, of held-out texts; "" without a step."""
    steps: list[float] = curve["steps"]
    if not steps:
        return ""
    found = {name: _points(steps, curve[f"{name}_loss"]) for name in ("train", "valid")}
    values = [value for points in found.values() for _, value in points]
    low, high = min(values), max(values)
    first, last = steps[0], steps[-1]

    def place(step: float, value: float) -> tuple[float, float]:
        x = MARGIN + (WIDTH - MARGIN - 10) * ((step - first) / (last - first) if last > first else 0.5)
        y = 10 + (CURVE_HEIGHT - 20) * ((high - value) / (high - low) if high > low else 0.5)
        return x, y

    drawn = [
        f'<line class="line" x1="{MARGIN}" y1="{CURVE_HEIGHT}" x2="{WIDTH}" y2="{CURVE_HEIGHT}"/>',
        _text(MARGIN - 6, 16, f"{high:.2f}", "end", "soft"),
        _text(MARGIN - 6, CURVE_HEIGHT - 4, f"{low:.2f}", "end", "soft") if high > low else "",
        _text(MARGIN, CURVE_HEIGHT + 18, f"step {first:.0f}", css="soft"),
        _text(WIDTH, CURVE_HEIGHT + 18, f"step {last:.0f}", "end", "soft") if last > first else "",
    ]
    for name, points in found.items():
        placed = [place(*point) for point in points]
        if len(placed) > 1:
            joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in placed)
            drawn.append(f'<polyline class="{name}" points="{joined}"/>')
        drawn += [f'<circle class="{name}" cx="{x:.1f}" cy="{y:.1f}" r="3"/>' for x, y in placed[-1:]]
    words = {"train": "training", "valid": "held-out texts"}
    x = WIDTH / 2 - 90
    for name in (name for name, points in found.items() if points):
        drawn.append(f'<circle class="{name}" cx="{x}" cy="{CURVE_HEIGHT + 14}" r="5"/>')
        drawn.append(_text(x + 12, CURVE_HEIGHT + 18, words[name], css="soft"))
        x += 100
    return _svg(title, CURVE_HEIGHT + 28, drawn, alone)


def _points(steps: Sequence[float], values: Sequence[float | None]) -> list[tuple[float, float]]:
    return [(step, value) for step, value in zip(steps, values, strict=True) if value is not None]


def _text(x: float, y: float, said: str, anchor: str = "start", css: str = "") -> str:
    kind = f' class="{css}"' if css else ""
    return f'<text{kind} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(said)}</text>'


def _svg(title: str, height: float, drawn: Sequence[str], alone: bool) -> str:
    said = escape(title, quote=True)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" class="plot-svg" viewBox="0 0 {WIDTH} {height:.0f}" role="img"'
    return f'{head} aria-label="{said}"><title>{said}</title>{ALONE if alone else ""}{"".join(drawn)}</svg>'

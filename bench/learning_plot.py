"""Pure: the table of bench/learning.py as an SVG: for each way, how the share right grows with the corrections."""

from collections.abc import Mapping, Sequence
from html import escape
from statistics import fmean
from typing import Any

WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 860, 420, 48, 40, 250, 44  # pixels
COLOURS = (
    "#8b8f97", "#b08900", "#1f77b4", "#7a5195", "#d45087", "#a3540c", "#ef8a62", "#5b8c5a", "#0b6e5f", "#003f5c", "#555555",
)  # fmt: skip


def plot(rows: Sequence[Mapping[str, Any]]) -> str:
    """One line a way: the mean share right on corrected, paraphrased and unseen questions against the corrections."""
    counts = sorted({row["corrections"] for row in rows})
    ways = list(dict.fromkeys(row["way"] for row in rows))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="13">',
        "<title>Share right by the number of corrections, for each way</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="22">Right on corrected, paraphrased and unseen questions (mean), by corrections</text>',
    ]
    for tenth in range(0, 11, 2):
        y = _y(tenth / 10)
        parts += [
            f'<line x1="{LEFT}" y1="{y}" x2="{WIDTH - RIGHT}" y2="{y}" stroke="#dddddd"/>',
            f'<text x="{LEFT - 8}" y="{y + 4}" text-anchor="end">{tenth / 10:.1f}</text>',
        ]
    for count in counts:
        parts.append(f'<text x="{_x(count, counts)}" y="{HEIGHT - 18}" text-anchor="middle">{count}</text>')
    for place, way in enumerate(ways):
        colour = COLOURS[place % len(COLOURS)]
        points = [(_x(row["corrections"], counts), _y(_mean(row))) for row in rows if row["way"] == way]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>' for x, y in points]
        y = TOP + 20 * place
        parts += [
            f'<circle cx="{WIDTH - RIGHT + 24}" cy="{y}" r="5" fill="{colour}"/>',
            f'<text x="{WIDTH - RIGHT + 36}" y="{y + 4}">{escape(way)}</text>',
        ]
    return "\n".join([*parts, "</svg>", ""])


def _x(count: int, counts: Sequence[int]) -> float:
    """Evenly apart, because the numbers grow as they do."""
    return LEFT + (WIDTH - LEFT - RIGHT) * (counts.index(count) + 0.5) / len(counts)


def _y(share: float) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share


def _mean(row: Mapping[str, Any]) -> float:
    shares = [row[name] for name in ("corrected", "paraphrases", "unseen") if row[name] is not None]
    return fmean(shares) if shares else 0.0

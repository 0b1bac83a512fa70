"""A plot as SVG: panels of lines, both axes logarithmic or both linear from zero."""

import math
from collections.abc import Sequence
from html import escape
from typing import NamedTuple

WIDTH, HEIGHT = 270, 230
LEFT, RIGHT, TOP, BOTTOM = 52, 14, 30, 36
COLOURS = ("#0b6e4f", "#b3541e", "#4a5a8a", "#8a1c4a")
MOST_DOTS = 40
"""A line of more points is drawn without a dot at each."""


class Line(NamedTuple):
    """Points by rising first number; both numbers are positive."""

    name: str
    points: Sequence[tuple[float, float]]


class Panel(NamedTuple):
    """Lines over the same axes."""

    title: str
    lines: Sequence[Line]


class _Axis(NamedTuple):
    """Values laid out between two places on the page, with those that get a rule and a name."""

    low: float
    high: float
    start: float
    end: float
    ticks: Sequence[float]
    linear: bool

    def at(self, value: float) -> float:
        place = value if self.linear else math.log10(value)
        share = (place - self.low) / (self.high - self.low)
        return round(self.start + share * (self.end - self.start), 1)

    def name(self, tick: float) -> str:
        return f"{tick:,g}" if self.linear else _power(round(math.log10(tick)))


def draw(
    panels: Sequence[Panel], below: str, *, linear: bool = False, columns: int | None = None
) -> str:
    """The panels side by side, in rows of ``columns`` panels where that is given.

    ``below`` names what the horizontal axes count. ``linear`` has all axes begin at zero.
    """
    columns = columns or len(panels)
    drawn = "".join(
        f'<g transform="translate({number % columns * WIDTH} {number // columns * HEIGHT})">\n'
        f"{_panel(panel, below, linear=linear)}</g>\n"
        for number, panel in enumerate(panels)
    )
    width, height = WIDTH * columns, HEIGHT * -(-len(panels) // columns)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        'font-family="sans-serif" font-size="10" fill="#333">\n'
        f'<rect width="{width}" height="{height}" fill="#fff"/>\n{drawn}</svg>\n'
    )


def _panel(panel: Panel, below: str, *, linear: bool) -> str:
    points = [point for line in panel.lines for point in line.points]
    lay_out = _linear if linear else _decades
    across = lay_out([x for x, _ in points], LEFT, WIDTH - RIGHT)
    up = lay_out([y for _, y in points], HEIGHT - BOTTOM, TOP)
    parts = [_text(LEFT, TOP - 12, panel.title, "start", bold=True)]
    for tick in across.ticks:
        x = across.at(tick)
        parts.append(_rule(x, up.start, x, up.end))
        parts.append(_text(x, HEIGHT - BOTTOM + 14, across.name(tick), "middle"))
    for tick in up.ticks:
        y = up.at(tick)
        parts.append(_rule(across.start, y, across.end, y))
        parts.append(_text(across.start - 6, y + 3, up.name(tick), "end"))
    parts.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 6, below, "middle"))
    parts += [
        _curve(line, across, up, colour)
        for line, colour in zip(panel.lines, COLOURS, strict=False)
        if line.points
    ]
    return "".join(parts)


def _decades(values: Sequence[float], start: float, end: float) -> _Axis:
    """Whole decades around the values."""
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    high = max(high, low + 1)
    return _Axis(low, high, start, end, [10.0**p for p in range(low, high + 1)], linear=False)


def _linear(values: Sequence[float], start: float, end: float) -> _Axis:
    """From zero to the first round step above the values, in about five steps."""
    most = max(*values, 1e-9)
    decade = 10 ** math.floor(math.log10(most / 5))
    step = next(size * decade for size in (1, 2, 5, 10) if size * decade * 5 >= most)
    count = math.ceil(most / step)
    return _Axis(0, count * step, start, end, [n * step for n in range(count + 1)], linear=True)


def _curve(line: Line, across: _Axis, up: _Axis, colour: str) -> str:
    places = [(across.at(x), up.at(y)) for x, y in line.points]
    path = " ".join(f"{x},{y}" for x, y in places)
    few = places if len(places) <= MOST_DOTS else ()
    dots = "".join(f'<circle cx="{x}" cy="{y}" r="2.5" fill="{colour}"/>' for x, y in few)
    x, y = places[-1]
    name = f'<text x="{x}" y="{y - 7}" text-anchor="end" fill="{colour}">{escape(line.name)}</text>'
    curve = f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>'
    return f"{curve}{dots}{name}\n"


def _rule(x: float, y: float, to_x: float, to_y: float) -> str:
    return f'<line x1="{x}" y1="{y}" x2="{to_x}" y2="{to_y}" stroke="#ddd"/>'


def _text(x: float, y: float, text: str, anchor: str, *, bold: bool = False) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}"{weight}>{escape(text)}</text>'


def _power(decade: int) -> str:
    """A power of ten in a few characters: 100, 1k, 1M."""
    if decade < 0:
        return f"{10.0**decade:.{-decade}f}"
    thousands, rest = divmod(decade, 3)
    return f"{10**rest}{('', 'k', 'M', 'G')[thousands]}"

"""Two pictures of the figures, as SVG by a few lines of our own: how far each goal is met, and how time grows with rows.

A reader needs no key. In the first each goal is a bar from the line "as wanted" in the middle: to the right, and green, is better
than wanted, to the left, and red, worse; twice as good is one step, four times two. The second has both axes logarithmic, so that
growth in proportion is a straight line as steep as the grey one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from math import ceil, floor, log2, log10

from figures import Figure

WIDTH, ROW, LEFT, STEP = 1180, 34, 470, 74
SUBTITLE = (
    "Right of the dark line is better than wanted; each step doubles. Bars end at 16 ×, figures do not."
)
MOST_STEPS = 4
"""Bars end at sixteen times better or worse; the number beside them goes on."""
GOOD, BAD, INK, PALE, GRID = "#2e7d4f", "#b3392f", "#1f2328", "#6a737d", "#d8dee4"
SHADES = ("#2458a6", "#b3601e", "#2e7d4f", "#7b3fa0", "#b3392f", "#22808a")
HEAD = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {0} {1}" width="{0}" height="{1}" font-family="Helvetica, Arial, sans-serif">'


def margin(figure: Figure) -> float:
    """How many times better than wanted; below 1 is worse."""
    sign, _, number = figure.wanted.partition(" ")
    wanted, seen = float(number), max(figure.figure, 1e-9)
    return wanted / seen if sign == "<=" else seen / max(wanted, 1e-9)


def goals(figures: Sequence[Figure]) -> str:
    """The bars, a row each, in the order of the table. A figure without a goal has none."""
    figures = [figure for figure in figures if figure.wanted]
    top, height = 88, 88 + ROW * len(figures) + 40
    middle = LEFT + 2 * STEP
    lines = [HEAD.format(WIDTH, height), rectangle(0, 0, WIDTH, height, "#ffffff")]
    lines.append(words(24, 32, "Each goal, and how far it is met", size=19, bold=True))
    lines.append(words(24, 52, SUBTITLE, shade=PALE))
    for step in range(-2, MOST_STEPS + 1):
        x = middle + step * STEP
        lines.append(line(x, top - 8, x, height - 34, PALE if step == 0 else GRID, 2 if step == 0 else 1))
        name = "as wanted" if step == 0 else f"{2**step:g} ×" if step > 0 else f"1/{2**-step:g}"
        lines.append(words(x, height - 14, name, anchor="middle", size=12, shade=PALE))
    for number, figure in enumerate(figures):
        lines += bar(figure, top + number * ROW, middle)
    return "\n".join([*lines, "</svg>\n"])


def bar(figure: Figure, y: float, middle: float) -> Iterator[str]:
    steps = max(-2.0, min(float(MOST_STEPS), log2(margin(figure))))
    length, shade = steps * STEP, GOOD if figure.met else BAD
    yield words(LEFT - 14, y + 16, figure.goal, anchor="end", size=13)
    yield rectangle(middle + min(length, 0), y + 3, max(abs(length), 2), ROW - 15, shade)
    x = middle + MOST_STEPS * STEP
    if steps == MOST_STEPS:
        yield words(x - 10, y + 16, "→", anchor="end", shade="#ffffff", size=14)
    yield words(x + 96, y + 16, shown(figure), anchor="end", size=13, shade=shade, bold=True)
    wanted = figure.wanted.replace("<=", "≤").replace(">=", "≥")
    yield words(x + 112, y + 16, f"wanted {wanted}", size=13, shade=PALE)


def shown(figure: Figure) -> str:
    digits = 0 if figure.figure >= 100 else 1 if figure.figure >= 10 else 2
    return f"{figure.figure:,.{digits}f} {'×' if figure.unit == 'x' else figure.unit}"


def growth(figures: Sequence[Figure]) -> str:
    """The lines of all figures; the name of each stands at its end."""
    series = [(name, sorted(map(tuple, each))) for figure in figures for name, each in figure.lines.items()]
    points = [point for _, each in series for point in each if min(point) > 0]
    if not points:
        return ""
    x0, x1 = floor(log10(min(x for x, _ in points))), ceil(log10(max(x for x, _ in points)))
    y0, y1 = floor(log10(min(y for _, y in points))), ceil(log10(max(y for _, y in points)))
    width, height = 560, 420

    def at(x: float, y: float) -> tuple[float, float]:
        return 80 + (log10(x) - x0) / max(x1 - x0, 1) * width, 490 - (log10(y) - y0) / max(
            y1 - y0, 1
        ) * height

    lines = [HEAD.format(WIDTH, 550), rectangle(0, 0, WIDTH, 550, "#ffffff")]
    lines.append(words(24, 32, "Seconds, as the number of rows grows", size=19, bold=True))
    for power in range(x0, x1 + 1):
        x, y = at(10**power, 10**y0)
        lines += [line(x, y, x, 70, GRID, 1), words(x, y + 22, f"{10**power:,}", anchor="middle", shade=PALE)]
    for power in range(y0, y1 + 1):
        x, y = at(10**x0, 10**power)
        lines += [
            line(x, y, x + width, y, GRID, 1),
            words(x - 10, y + 4, f"{10.0**power:g} s", anchor="end", shade=PALE),
        ]
    lines.append(words(80 + width / 2, 538, "rows", anchor="middle", shade=PALE))
    powers = min(x1 - x0, y1 - y0)
    (x, y), (to_x, to_y) = at(10**x0, 10**y0), at(10 ** (x0 + powers), 10 ** (y0 + powers))
    lines.append(line(x, y, to_x, to_y, "#b9c0c8", 1))
    lines.append(words(to_x - 8, to_y + 64, "in proportion", anchor="end", shade=PALE))
    ends: list[float] = []
    for number, (name, each) in enumerate(sorted(series, key=lambda named: -named[1][-1][1])):
        places, shade = [at(x, y) for x, y in each if min(x, y) > 0], SHADES[number % len(SHADES)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        lines.append(f'<polyline points="{path}" fill="none" stroke="{shade}" stroke-width="2.5"/>')
        lines += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{shade}"/>' for x, y in places]
        x, y = places[-1]
        ends.append(max(y, ends[-1] + 18) if ends else y)
        lines.append(words(x + 12, ends[-1] + 4, f"{name}: {each[-1][1]:.3g} s", shade=shade, size=13))
    return "\n".join([*lines, "</svg>\n"])


def words(
    x: float,
    y: float,
    text: str,
    *,
    anchor: str = "start",
    size: int = 12,
    shade: str = INK,
    bold: bool = False,
) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" fill="{shade}"{weight}>{escape(text)}</text>'


def rectangle(x: float, y: float, width: float, height: float, shade: str) -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{shade}"/>'


def line(x: float, y: float, to_x: float, to_y: float, shade: str, width: int) -> str:
    return f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{to_x:.1f}" y2="{to_y:.1f}" stroke="{shade}" stroke-width="{width}"/>'

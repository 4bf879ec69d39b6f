"""Charts as SVG, small enough to stand side by side; colours and fonts are those of the page's style sheet."""

import html
import math

import numpy as np

WIDTH, HEIGHT = 360, 210
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 10, 10, 38
_ROW = 22  # of a chart of bars that lie
_NAME, _VALUE = 78, 84


def number(value) -> str:
    """A coordinate, no longer than it needs to be."""
    return f"{value:.1f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def text(x, y, content, anchor="start", css="") -> str:
    """A piece of text."""
    return f'<text x="{number(x)}" y="{number(y)}" text-anchor="{anchor}" class="{css}">{html.escape(content)}</text>'


def picture(width, height, label, *parts) -> str:
    """An image with these parts; ``label`` is read out."""
    return (f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{html.escape(label)}">'
            f'{"".join(parts)}</svg>')


def round_ticks(high, n=4) -> list[float]:
    """About ``n`` round numbers from 0 up to ``high``."""
    if not high > 0:
        return [0.0]
    rough = high / n
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= rough * 0.999)
    return [i * step for i in range(math.floor(high / step * 1.0001) + 1)]


def short(value) -> str:
    """A number on an axis."""
    if value >= 1e4:
        return f"{value / 1e6:g}M" if value >= 1e6 else f"{value / 1e3:g}k"
    return f"{value:g}" if value >= 0.01 or value == 0 else f"{value:.0e}"


class Axes:
    """The frame of a chart from (0, 0) to (x_most, y_most), with its labels.

    x_ticks : (value, text) pairs, y_ticks : values; None: round numbers
    """

    def __init__(self, x_most, y_most, x_label, y_label, *, width=WIDTH, x_ticks=None, y_ticks=None):
        self.x_most, self.y_most, self.width, self.height = x_most or 1.0, y_most or 1.0, width, HEIGHT
        bottom, right = HEIGHT - _BOTTOM, width - _RIGHT
        self.frame = [f'<path class="axis" d="M{_LEFT} {_TOP}V{bottom}H{right}"/>']
        for tick, name in x_ticks or [(tick, short(tick)) for tick in round_ticks(self.x_most)]:
            at = self.x(tick)
            self.frame.append(text(at, bottom + 14, name, "middle", "tick"))
            self.frame.append(f'<path class="axis" d="M{number(at)} {bottom}v3"/>')
        for tick in round_ticks(self.y_most) if y_ticks is None else y_ticks:
            at = self.y(tick)
            self.frame.append(text(_LEFT - 5, at + 4, short(tick), "end", "tick"))
            self.frame.append(f'<path class="grid" d="M{_LEFT} {number(at)}H{right}"/>')
        self.frame.append(text((_LEFT + right) / 2, HEIGHT - 6, x_label, "middle", "label"))
        middle = (_TOP + bottom) / 2
        self.frame.append(f'<g transform="translate(11 {number(middle)}) rotate(-90)">'
                          f'{text(0, 0, y_label, "middle", "label")}</g>')

    def x(self, value):
        """Where a value, or an array, stands."""
        return _LEFT + value / self.x_most * (self.width - _RIGHT - _LEFT)

    def y(self, value):
        """Where a value, or an array, stands."""
        return self.height - _BOTTOM - value / self.y_most * (self.height - _BOTTOM - _TOP)

    def chart(self, label, *parts) -> str:
        """The picture."""
        return picture(self.width, self.height, label, *self.frame, *parts)


def polyline(axes, x, y, css, title) -> str:
    """A line through points."""
    points = " ".join(f"{number(float(a))},{number(float(b))}" for a, b in zip(axes.x(x), axes.y(y), strict=True))
    return f'<polyline class="line {css}" points="{points}"><title>{html.escape(title)}</title></polyline>'


def bars(axes, edges, heights, css, titles) -> str:
    """Bars between neighbouring edges."""
    out = []
    for left, right, height, title in zip(axes.x(edges[:-1]), axes.x(edges[1:]), heights, titles, strict=True):
        top, bottom = float(axes.y(height)), float(axes.y(0.0))
        out.append(f'<rect class="{css}" x="{number(float(left) + 0.3)}" y="{number(top)}" '
                   f'width="{number(max(float(right - left) - 0.6, 0.4))}" height="{number(bottom - top)}">'
                   f'<title>{html.escape(title)}</title></rect>')
    return "".join(out)


def marks(axes, x, y, css) -> str:
    """A short upright mark at every point, as one path."""
    size = max(1.0, abs(axes.y(1.0) - axes.y(0.0)))
    left, top = np.round(axes.x(x), 1).tolist(), np.round(axes.y(y + 1.0), 1).tolist()
    path = "".join(f"M{number(a)} {number(b)}v{number(float(size))}" for a, b in zip(left, top, strict=True))
    return f'<path class="mark {css}" d="{path}"/>'


def dashes(axes, x, y, css) -> str:
    """The same of many points, to half a unit: a dash for all that are neighbours in a row."""
    column, row = np.floor(axes.x(x) * 2).astype(np.int64), y.astype(np.int64)
    spots = np.unique(row * (4 * axes.width) + column)
    first = np.flatnonzero(np.diff(spots, prepend=-2) != 1)
    length = np.diff(np.append(first, len(spots)))
    rows, columns = np.divmod(spots[first], 4 * axes.width)
    size = abs(axes.y(1.0) - axes.y(0.0))
    path = "".join(f"M{number(float(a) / 2)} {number(round(float(b), 1))}h{number(float(n) / 2)}" for a, b, n in zip(
        columns, axes.y(rows + 0.5), length, strict=True))
    return f'<path class="mark {css}" style="stroke-width:{number(round(float(max(size, 0.5)), 1))}" d="{path}"/>'


def lying_bars(rows, label, most=None) -> str:
    """A bar a row: (name, value, text, css); as long as ``most``, else the largest, fills the width."""
    most = most or max([value for _, value, _, _ in rows if value], default=1.0) or 1.0
    room, parts = WIDTH - _NAME - _VALUE, []
    for i, (name, value, shown, css) in enumerate(rows):
        y = i * _ROW
        length = 0.0 if value is None else room * value / most
        parts.append(text(_NAME - 6, y + 15, name, "end", "name"))
        parts.append(f'<rect class="{css}" x="{_NAME}" y="{y + 4}" width="{number(max(length, 0.5))}" height="14" '
                     f'rx="2"><title>{html.escape(f"{name}: {shown}")}</title></rect>')
        parts.append(text(_NAME + length + 5, y + 15, shown, "start", "value"))
    return picture(WIDTH, len(rows) * _ROW + 2, label, *parts)

"""Small pictures: cells as an indexed PNG, and curves as SVG; both are transparent."""

import base64
import html
import struct
import zlib

import numpy as np

from eventsim.report.notebook.markup import Markup

# Two colours that the colour-blind tell apart, too, and their mean; each is seen on white and on black.
ON, OFF, BOTH = (47, 128, 208), (230, 116, 0), (140, 133, 128)
_ALPHAS = (115, 150, 185, 220, 255)
_SIDE = 240  # px that pictures are about as large as
_MOST_CELLS = 128  # along a side
_RASTER = (64, 120)  # most rows, and columns
PARTS = 96  # of time, in a curve
_CURVE = (240, 40)  # px


def sampled(n, most=300_000):
    """Numbers of ``most`` of ``n`` things, int64[most] and rising, one drawn from each of as many equal parts.

    The same every time; a slice of all of them where there are no more than ``most``.
    """
    if n <= most:
        return slice(None)
    part = np.arange(most) + np.random.default_rng(0).random(most)
    return np.minimum((part * (n / most)).astype(np.int64), n - 1)


def of_pixels(x, y, is_on, width, height, label) -> Markup:
    """Pixels with events: the more, the less transparent; blue where most are ON, orange where most are OFF.

    Large sensors are pooled. ``is_on`` is None where there is one polarity.
    """
    pool = -(-max(width, height) // _MOST_CELLS)
    shape = -(-height // pool), -(-width // pool)
    cell = (y // pool).astype(np.int64) * shape[1] + x // pool
    counts = np.bincount(cell, minlength=shape[0] * shape[1]).reshape(shape)
    hue = np.zeros(shape, np.int64)
    if is_on is not None:
        on = np.bincount(cell, weights=is_on, minlength=counts.size).reshape(shape) / np.maximum(counts, 1)
        hue = np.select([on > 0.6, on < 0.4], [0, 1], 2)
    return _image(_levels(counts) + len(_ALPHAS) * hue * (counts > 0), label)


def raster(when, row, duration, n_rows, label) -> Markup:
    """Rows by time: the more spikes, the less transparent; many rows are pooled. ``when`` lies in [0, duration)."""
    pool = -(-n_rows // _RASTER[0])
    rows, columns = -(-n_rows // pool), _RASTER[1]
    column = np.minimum((when * (columns / max(duration, 1e-9))).astype(np.int64), columns - 1)
    counts = np.bincount((row // pool).astype(np.int64) * columns + column, minlength=rows * columns)
    return _image(_levels(counts.reshape(rows, columns)), label, height=max(64, 2 * rows))


def _levels(counts):
    """0 for none, up to the number of alphas for the counts that only one cell in a hundred exceeds."""
    some = counts[counts > 0]
    most = np.percentile(some, 99) if some.size else 1.0
    share = np.minimum(np.sqrt(counts / most), 1.0)
    return np.ceil(share * len(_ALPHAS)).astype(np.int64)


def _image(cells, label, height=None):
    """Cells int64[h, w], 0 or level + 5 * hue, as an image of about 240 px."""
    palette = [(0, 0, 0, 0), *((*colour, alpha) for colour in (ON, OFF, BOTH) for alpha in _ALPHAS)]
    data = base64.b64encode(png(cells.astype(np.uint8), palette)).decode()
    scale = max(1, round(_SIDE / max(cells.shape)))
    size = f'width="{cells.shape[1] * scale}" height="{height or cells.shape[0] * scale}"'
    style = "image-rendering:pixelated;border:1px solid rgba(128,128,128,.5);margin:0;max-width:none"
    return Markup(f'<img alt="{html.escape(label)}" {size} style="{style}" src="data:image/png;base64,{data}">')


def png(cells, palette) -> bytes:
    """A PNG of uint8[h, w] numbers of colours (r, g, b, alpha)."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    height, width = cells.shape
    lines = np.zeros((height, width + 1), np.uint8)  # each begins with its filter, none
    lines[:, 1:] = cells
    colours = np.array(palette, np.uint8)
    return b"".join((
        b"\x89PNG\r\n\x1a\n", chunk(b"IHDR", struct.pack(">2I5B", width, height, 8, 3, 0, 0, 0)),
        chunk(b"PLTE", colours[:, :3].tobytes()), chunk(b"tRNS", colours[:, 3].tobytes()),
        chunk(b"IDAT", zlib.compress(lines.tobytes(), 9)), chunk(b"IEND", b""),
    ))


def over_time(when, first, last, label):
    """``(curve, most)``: how many happen in equal parts of [first, last], and the most of a part, as a number."""
    span = max(last - first, 1)
    part = np.minimum(((when - first) * (PARTS / span)).astype(np.int64), PARTS - 1)
    counts = np.bincount(part, minlength=PARTS)
    most = max(int(counts.max()), 1)
    width, height = _CURVE
    points = "".join(f"V{height - height * n / most:.1f}h{width / PARTS:g}" for n in counts)
    path = f'<path d="M0 {height}{points}V{height}z" fill="currentColor" fill-opacity=".45"/>'
    return _svg(width, height, label, path), most


def curves(series, label) -> Markup:
    """Lines through shares 0..1 at the numbers 1..n, by name: a list with None where there is none."""
    width, height = _CURVE[0], 2 * _CURVE[1]
    n = max(len(values) for values in series.values())
    parts = [f'<path d="M0 {y}h{width}" stroke="currentColor" stroke-opacity=".2"/>' for y in (0.5, height - 0.5)]
    for colour, values in zip((OFF, ON), series.values(), strict=False):
        points = [(4 + (width - 8) * i / max(n - 1, 1), height - 3 - (height - 6) * value)
                  for i, value in enumerate(values) if value is not None]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts.append(f'<polyline points="{line}" fill="none" stroke="rgb{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2" fill="rgb{colour}"/>' for x, y in points[-1:]]
    return _svg(width, height, label, *parts)


def _svg(width, height, label, *parts):
    return Markup(f'<svg role="img" aria-label="{html.escape(label)}" width="{width}" height="{height}" viewBox="0 0 '
                  f'{width} {height}" style="display:block;max-width:none">{"".join(parts)}</svg>')


def legend(**colours) -> Markup:
    """Squares of the colours and their names."""
    squares = (f'<span style="display:inline-block;width:.7em;height:.7em;background:rgb{colour}"></span> '
               f"{html.escape(name)}&ensp;" for name, colour in colours.items())
    return Markup(f'<div style="font-size:85%">{"".join(squares)}</div>')


def caption(value) -> Markup:
    """A small line below a picture."""
    return Markup(f'<div style="font-size:85%;opacity:.7;max-width:{_SIDE + 20}px">{html.escape(value)}</div>')

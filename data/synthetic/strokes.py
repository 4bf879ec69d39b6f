"""Draws digits as a pen does: strokes through varied control points, antialiased, framed as MNIST frames them."""

import functools
import math
from dataclasses import dataclass

import numpy as np

from eventsim import checks
from eventsim.data.synthetic.glyphs import GLYPHS
from eventsim.data.synthetic.limits import check_limits

_PER_SPAN = 6  # straight pieces between two control points
_WAVES = np.pi * np.array([(0, 1), (1, 0), (1, 1), (1, 2), (2, 1), (2, 2)])  # rad per unit, of the elastic field


@dataclass(frozen=True)
class HandwritingParameters:
    """How much the writing varies. Spreads are standard deviations.

    MNIST's framing (LeCun et al. 1998): scaled, aspect kept, to a box of 20x20 pixels, then moved so that the centre
    of mass is the centre of 28x28.
    """

    size: int = 28  # pixels, edge of the image
    box: float = 20.0  # pixels, longer edge of the digit
    slant: float = 0.2  # shear towards the right, dx per dy
    slant_spread: float = 0.26
    rotation_spread: float = 0.12  # rad
    aspect: float = 0.72  # width over height of the unit box
    aspect_spread: float = 0.22  # of its log
    proportion_spread: float = 0.3  # of the shift of the box's middle along either axis, in quarters of the box
    elastic_spread: float = 0.05  # units of the box, of each wave of a smooth displacement field
    point_spread: float = 0.02  # units of the box, of each control point alone
    pen: float = 2.5  # pixels, width of a stroke
    pen_spread: float = 0.28  # of its log
    softness: float = 1.1  # pixels over which a stroke's edge fades
    scale_spread: float = 0.02  # of the box's log
    shift_spread: float = 0.4  # pixels, of the centre of mass

    def __post_init__(self):
        checks.whole_number("handwriting size", self.size, 1, 4096)
        check_limits(self, "box aspect pen softness", 0, 4096, above=True)
        check_limits(self, "slant", -10, 10)
        check_limits(self, "slant_spread rotation_spread aspect_spread proportion_spread elastic_spread", 0, 10)
        check_limits(self, "point_spread pen_spread scale_spread shift_spread", 0, 10)


def draw(digit, rng, handwriting: HandwritingParameters):
    """An image float32[size,size] of ``digit`` (0..9): 0 is paper, 1 ink.

    rng : np.random.Generator, for the glyph and its variations
    """
    digit = checks.whole_number("digit", digit, 0, 9)
    points, curves, start, stop = _glyph(digit, rng.random())
    points = _varied(points, rng, handwriting)
    curve = curves @ points
    pen = handwriting.pen * math.exp(handwriting.pen_spread * rng.standard_normal())
    curve = _framed(curve, start, stop, pen, rng, handwriting)
    return _inked(curve[start], curve[stop], pen, handwriting)


@functools.cache
def _compiled(digit, which):
    """A glyph made ready: its distinct control points float64[P,2]; the matrix float64[Q,P] from them to the points of
    its curves; and the indices of both ends of every straight piece."""
    strokes = GLYPHS[digit][which].strokes
    points = sorted({point for stroke in strokes for point in stroke})
    rows, start = [], []
    for stroke in strokes:
        weights = _spline(len(stroke), stroke[0] == stroke[-1])
        chosen = np.eye(len(points))[[points.index(point) for point in stroke]]
        start += range(sum(map(len, rows)), sum(map(len, rows)) + len(weights) - 1)
        rows.append(weights @ chosen)
    start = np.array(start)
    return np.array(points), np.concatenate(rows), start, start + 1


def _glyph(digit, chance):
    """The compiled glyph that ``chance``, in 0..1, falls on."""
    weights = np.cumsum([glyph.weight for glyph in GLYPHS[digit]])
    return _compiled(digit, int(np.searchsorted(weights, chance * weights[-1], side="right")))


def _spline(n, closed):
    """Weights float64[Q,n] of a uniform Catmull-Rom spline through n points, of which a closed one's last is its first.

    An open end is continued by reflection.
    """
    eye = np.eye(n)
    before, after = (eye[-2], eye[1]) if closed else (2 * eye[0] - eye[1], 2 * eye[-1] - eye[-2])
    knots = np.concatenate([before[None], eye, after[None]])
    s = np.arange(_PER_SPAN)[:, None] / _PER_SPAN
    blend = np.concatenate([-s + 2 * s**2 - s**3, 2 - 5 * s**2 + 3 * s**3, s + 4 * s**2 - 3 * s**3, s**3 - s**2], 1) / 2
    return np.concatenate([*(blend @ knots[i:i + 4] for i in range(n - 1)), eye[-1:]])


def _varied(points, rng, hand):
    """Control points float64[P,2] after an elastic field, their own scatter, and an affine map."""
    phase = rng.uniform(0, 2 * np.pi, (2, len(_WAVES)))
    height = hand.elastic_spread * rng.standard_normal((2, len(_WAVES)))
    field = np.cos((points @ _WAVES.T)[:, None] + phase) * height
    bend = np.clip(hand.proportion_spread * rng.standard_normal(2), -0.9, 0.9)
    points = points + bend * points * (1 - points)  # a wide or narrow half: how large a loop is, how long a stem
    points = points + field.sum(2) + hand.point_spread * rng.standard_normal(points.shape)
    slant = hand.slant + hand.slant_spread * rng.standard_normal()
    aspect = hand.aspect * math.exp(hand.aspect_spread * rng.standard_normal())
    turn = hand.rotation_spread * rng.standard_normal()
    cos, sin = math.cos(turn), math.sin(turn)
    affine = np.array([[cos, -sin], [sin, cos]]) @ np.array([[aspect, -slant], [0.0, 1.0]])
    return points @ affine.T


def _framed(curve, start, stop, pen, rng, hand):
    """The curve float64[Q,2] in pixels: the inked box as large, and its centre of mass where, MNIST has them."""
    box = hand.box * math.exp(hand.scale_spread * rng.standard_normal())
    extent = np.ptp(curve, axis=0).max()
    curve = curve * (max(box - pen, 1.0) / extent)
    length = np.hypot(*(curve[stop] - curve[start]).T)
    mass = length @ (curve[start] + curve[stop]) / (2 * length.sum())
    centre = hand.size / 2 + 0.5  # MNIST's is the middle of pixel size / 2
    return curve - mass + centre + hand.shift_spread * rng.standard_normal(2)


def _inked(start, stop, pen, hand):
    """Coverage float32[size,size] of the pixels by strokes from ``start`` to ``stop``, both float64[S,2]."""
    start, along = start.astype(np.float32), (stop - start).astype(np.float32)
    centre = np.arange(hand.size, dtype=np.float32) + np.float32(0.5)
    dx, dy = centre - start[:, :1], centre - start[:, 1:]  # [S,size]
    norm = np.maximum((along**2).sum(1), np.float32(1e-12))
    # The nearest point of a piece lies at the share `part` of it.
    part = (dx * (along[:, :1] / norm[:, None]))[:, None] + (dy * (along[:, 1:] / norm[:, None]))[:, :, None]
    np.clip(part, 0, 1, out=part)
    square = (dx[:, None] - part * along[:, :1, None]) ** 2
    square += (dy[:, :, None] - part * along[:, 1:, None]) ** 2
    distance = np.sqrt(square.min(0))
    return np.clip((np.float32(pen / 2) - distance) / np.float32(hand.softness) + np.float32(0.5), 0, 1)

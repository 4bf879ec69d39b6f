"""Sums of impulse responses, each of which begins with a spike, at a cost of spikes plus times."""

import numpy as np


def summed(time, when, weight, lam, kick, slope=0.0, side="right"):
    """The sum of (kick + slope s) e^(-lam s) over the ages s of the spikes before ``time``, by ``weight``: float64[T].

    time : ms, in any order; when : ms, ascending; lam : 1/ms
    side : "right" counts a spike at its own time, "left" from behind it on
    """
    if not len(when):
        return np.zeros(len(time))
    level, area = _carried(when, weight, lam)
    k = np.searchsorted(when, time, side) - 1
    begun, k = k >= 0, np.maximum(k, 0)
    age = np.maximum(time - when[k], 0.0)
    return np.where(begun, (kick * level[k] + slope * (area[k] + age * level[k])) * np.exp(-lam * age), 0.0)


def _carried(when, weight, lam):
    """Sums of w e^(-lam s) and of w s e^(-lam s) just after every spike, the spike among them, float64[K] each."""
    gaps = np.diff(when, prepend=when[0])
    level, area = np.empty(len(when)), np.empty(len(when))
    x = y = 0.0
    for k, (gap, fall, w) in enumerate(zip(gaps.tolist(), np.exp(-lam * gaps).tolist(), weight.tolist(), strict=True)):
        y = fall * (y + gap * x)
        x = fall * x + w
        level[k], area[k] = x, y
    return level, area

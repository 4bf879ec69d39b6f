"""Sums of impulse responses, each of which begins with a spike, at a cost of spikes plus times."""

import numpy as np

# Time constants after which a response is below 1e-23 of its peak.
_FORGOTTEN = 60.0


def summed(time, when, weight, lam, kick, slope=0.0, side="right"):
    """The sum of (kick + slope s) e^(-lam s) over the ages s of the spikes before ``time``, by ``weight``: float64[T].

    time : ms, in any order; when : ms, ascending; lam : 1/ms
    side : "right" counts a spike at its own time, "left" from behind it on
    """
    if len(time) and lam:  # neither what is over, nor what is still to come
        near = slice(*np.searchsorted(when, (time.min() - _FORGOTTEN / lam, np.nextafter(time.max(), np.inf))))
        when, weight = when[near], weight[near]
    if not len(time) or not len(when):
        return np.zeros(len(time))
    first = np.flatnonzero(np.diff(when, prepend=-np.inf))  # spikes at one time are one
    when, weight = when[first], np.add.reduceat(weight, first)
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

"""Encoders of numbers, one neuron and one tick at a time; spikes are sorted lists of (sample, tick, address)."""

import math
from fractions import Fraction

ROUNDING = Fraction(1, 10**9)  # of a spike or a threshold


def poisson(share, rng):
    """share : shares of a spike, [sample][tick][neuron]; one number is drawn for each, in this order."""
    return [
        (b, t, n) for b, ticks in enumerate(share) for t, row in enumerate(ticks) for n, chance in enumerate(row)
        if rng.random() < chance
    ]


def regular(share):
    """A neuron has fired as often as its shares up to the tick make whole spikes."""
    spikes = []
    for b, ticks in enumerate(share):
        for n in range(len(ticks[0])):
            total, fired = Fraction(0), 0
            for t, row in enumerate(ticks):
                total += Fraction(row[n])
                if math.floor(total + ROUNDING) > fired:
                    fired += 1
                    spikes.append((b, t, n))
    return sorted(spikes)


def latency(values, n_ticks):
    """values : [sample][neuron]"""
    return sorted(
        (b, round((1 - value) * (n_ticks - 1)), n) for b, row in enumerate(values) for n, value in enumerate(row)
        if value > 0
    )


def receptive_fields(value, fields, low, high, beta):
    """Responses of a value's neurons, by the paper's formula, which numbers them from 1."""
    centres = [low + (2 * i - 3) / 2 * (high - low) / (fields - 2) for i in range(1, fields + 1)]
    width = (high - low) / (fields - 2) / beta
    return [math.exp(-((value - centre) ** 2) / (2 * width**2)) for centre in centres]


def delta(series, threshold, at_most_one):
    """series : [sample][tick][neuron]"""
    spikes = []
    for b, ticks in enumerate(series):
        for n in range(len(ticks[0])):
            level = 0
            for t, row in enumerate(ticks):
                moved = (row[n] - ticks[0][n]) / threshold - level
                steps = math.floor(abs(moved) + float(ROUNDING))
                steps = min(steps, 1) if at_most_one else steps
                level += steps if moved > 0 else -steps
                spikes += [(b, t, n + (len(row) if moved > 0 else 0))] * steps
    return sorted(spikes)

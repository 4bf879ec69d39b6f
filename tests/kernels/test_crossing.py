"""Where a potential first reaches threshold: the closed form against scans."""

import itertools
import math

import numpy as np
import pytest

from eventsim.kernels.cpu import crossing

EDGES = np.empty(16)


def potential(s, a, b, c, d, lam, mu):
    return (a + b * s) * np.exp(-lam * s) + (c + d * s) * np.exp(-mu * s)


def rounding(s, a, b, c, d, lam, mu):
    """What the last bits of a potential are of."""
    return 1e-13 * (potential(s, abs(a), abs(b), abs(c), abs(d), lam, mu) + 10.0)


# How 1 / tau_ref comes from 1 / tau_syn.
RATES = {
    "alike": lambda rng, lam: lam * rng.uniform(0.1, 10.0),
    "equal": lambda rng, lam: lam,
    "all but equal": lambda rng, lam: lam * (1 + rng.choice([-1, 1]) * 10 ** rng.uniform(-15, -3)),
    "fast refractory": lambda rng, lam: lam * 10 ** rng.uniform(1, 8),
    "slow refractory": lambda rng, lam: lam * 10 ** rng.uniform(-8, -1),
}


def random_state(rng, rate):
    """start, a, b, c, d, lam, mu that a simulation may meet, in sizes from less than theta to far above."""
    lam = 10 ** rng.uniform(-2, 1)
    mu = rate(rng, lam)
    a, b = rng.normal(0, 10 ** rng.uniform(1, 3), 2) * (1, 3 * lam)
    c, d = -rng.exponential(10 ** rng.uniform(-1, 3), 2) * (1, 5 * mu) * (rng.random() < 0.9)
    return float(rng.choice([0.0, rng.exponential(1 / lam)])), a, b, c, d, lam, mu


def scan(start, a, b, c, d, lam, mu):
    """Times from ``start`` on, close together there, until the psp is over."""
    span = 40 / lam + (max(0.0, -a / b) if b > 0 else 0.0)
    fast = np.geomspace(1e-6, 60, 500) / mu
    return np.unique(np.concatenate((
        start + np.linspace(0, span, 1500), start + span * np.geomspace(1e-9, 1, 1000), start + fast[fast < span],
    )))


@pytest.mark.parametrize("rate", RATES.values(), ids=RATES)
def test_predicted_crossing_is_the_first_one(rate, rng):
    found = 0
    for _ in range(1500):
        start, *state = random_state(rng, rate)
        s = crossing.first_crossing(start, *state, 10.0, EDGES)
        times = scan(start, *state)
        above = np.flatnonzero(potential(times, *state) >= 10.0 + rounding(times, *state))
        if above.size:
            assert s <= times[above[0]], state
            found += 1
        if np.isfinite(s):
            assert potential(s, *state) >= 10.0 - rounding(s, *state), state
        if start < s < np.inf:  # what lies just before is still below
            before = np.maximum(start, s - s * np.geomspace(1e-13, 1e-3, 10))
            assert (potential(before, *state) < 10.0 + rounding(before, *state)).all(), state
    assert found > 300


@pytest.mark.parametrize("margin", [1e-11, 1e-8, 1e-4])
@pytest.mark.parametrize("rate", RATES.values(), ids=RATES)
def test_a_peak_that_only_just_reaches_the_threshold_is_not_missed(rate, margin, rng):
    """The threshold is put a hair under a maximum that lies inside."""
    found = 0
    for _ in range(300):
        start, *state = random_state(rng, rate)
        times = scan(start, *state)
        u = potential(times, *state)
        top = int(np.argmax(u))
        if not 0 < top < len(times) - 1 or u[top] <= 1.0:
            continue
        low, high = times[top - 1], times[top + 1]
        for _ in range(100):
            third = (high - low) / 3
            rises = potential(low + third, *state) < potential(high - third, *state)
            low, high = (low + third, high) if rises else (low, high - third)
        theta = potential(high, *state) - margin * rounding(high, *state) / 1e-13
        if theta <= 0:
            continue
        assert crossing.first_crossing(start, *state, theta, EDGES) <= high * (1 + 1e-6), state
        found += 1
    assert found > 50


@pytest.mark.parametrize("rate", RATES.values(), ids=RATES)
def test_quick_bounds_are_never_past_a_crossing_and_often_short_of_it(rate, rng):
    found = quick = 0
    for _ in range(3000):
        _, *state = random_state(rng, rate)
        s = crossing.first_crossing(0.0, *state, 10.0, EDGES)
        bound = crossing.no_crossing_before(*state, 10.0)
        assert 0.0 <= bound <= s, state
        found += 0 < s < np.inf
        quick += 0 < bound < np.inf
        a, b, lam = state[0], state[1], state[4]
        assert crossing.upper_bound(a, b, lam) >= crossing.psp_maximum(0.0, a, b, lam) * (1 - 1e-15)
    assert found > 300 and quick > 300


def test_a_psp_alone_crosses_where_its_alpha_function_does():
    """At its peak, of theta, at tau; before it, for a larger weight; never, for a smaller one."""
    for tau in (1e-3, 1.0, 1e6):
        kick = 10.0 * math.e / tau
        at = [crossing.first_crossing(0.0, 0.0, w * kick, 0.0, 0.0, 1 / tau, 1.0, 10.0, EDGES) for w in (1 - 1e-12, 2)]
        assert at[0] == np.inf and 0 < at[1] < tau
        assert at[1] / tau * math.exp(1 - at[1] / tau) == pytest.approx(0.5, rel=1e-12)


def test_numbers_of_any_size_give_a_time_from_the_start_on():
    sizes = (0.0, 5e-324, 1e-320, 1.0, 20.0, 1e38, 1e300)
    signed = (*sizes, *(-size for size in sizes))
    found = 0
    for a, b in itertools.product(signed, signed):
        for c, d in itertools.product((0.0, -1e-320, -1.0, -1e38), repeat=2):
            for lam, mu in ((0.1, 1.0), (1.0, 0.1), (0.5, 0.5), (1e-9, 1e9), (1e9, 1e-9)):
                for start in (0.0, 1e-3, 1e9):
                    s = crossing.first_crossing(start, a, b, c, d, lam, mu, 10.0, EDGES)
                    assert s >= start, (start, a, b, c, d, lam, mu)
                    found += s < np.inf
    assert found > 1000

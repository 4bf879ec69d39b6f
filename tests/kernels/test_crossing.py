"""Where a potential first reaches threshold: the closed form against scans, short segments against both."""

import itertools
import math

import numpy as np
import pytest

from eventsim.kernels.cpu import crossing, segment

EDGES = np.empty(16)


def potential(s, a, b, c, d, lam, mu):
    return (a + b * s) * np.exp(-lam * s) + (c + d * s) * np.exp(-mu * s)


def slope(s, a, b, c, d, lam, mu):
    return (b - lam * (a + b * s)) * np.exp(-lam * s) + (d - mu * (c + d * s)) * np.exp(-mu * s)


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


@pytest.mark.parametrize("theta", [0.0, -1e-9, -3.0, -100.0])
@pytest.mark.parametrize("rate", RATES.values(), ids=RATES)
def test_a_threshold_that_is_not_above_zero_is_reached_some_day(rate, theta, rng):
    """So is that of a neuron whose constant input alone would reach its own."""
    waited = short = 0
    for _ in range(500):
        start, *state = random_state(rng, rate)
        s = crossing.first_crossing(start, *state, theta, EDGES)
        assert start <= s < np.inf, state
        assert potential(s, *state) >= theta - rounding(s, *state), state
        before = np.append(np.linspace(start, s, 1000), s - (s - start) * np.geomspace(1e-9, 1, 500))
        before = before[(before >= start) & (before < s)]
        assert (potential(before, *state) < theta + rounding(before, *state)).all(), state
        assert crossing.no_crossing_before(*state, theta) <= crossing.first_crossing(0.0, *state, theta, EDGES), state
        end = start + 3.0 / state[4]
        inside = segment.crossing_before(start, end, *state, theta, EDGES)
        if inside != (s if s < end else np.inf):
            at = np.array([x for x in (s, inside) if x < np.inf])
            assert (np.abs(potential(at, *state) - theta) <= blur(at, *state)).all(), state
        waited, short = waited + (s > start), short + (inside < np.inf)
    assert waited > 30 and short > 20


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


def blur(s, *state):
    """How far from the threshold a potential may be at a time that was found to 1e-14 ms."""
    return rounding(s, *state) + 2e-14 * np.abs(slope(s, *state))


@pytest.mark.parametrize("rate", RATES.values(), ids=RATES)
@pytest.mark.parametrize("length", [0.25, 3.0])
def test_a_crossing_in_a_segment_is_the_first_one(rate, length, rng):
    found = 0
    for _ in range(1500):
        start, *state = random_state(rng, rate)
        end = start + length / state[4] * rng.random()
        s = segment.crossing_before(start, end, *state, 10.0, EDGES)
        times = np.append(np.linspace(start, end, 300, endpoint=False), np.nextafter(end, start))
        above = np.flatnonzero(potential(times, *state) >= 10.0 + rounding(times, *state))
        assert not above.size or s <= times[above[0]], state
        assert start <= s < end or s == np.inf, state
        if s < np.inf:
            assert potential(s, *state) >= 10.0 - blur(s, *state), state
            before = times[times < s]
            assert (potential(before, *state) < 10.0 + rounding(before, *state)).all(), state
            found += 1
        closed = crossing.first_crossing(start, *state, 10.0, EDGES)
        closed = closed if closed < end else np.inf
        if s != closed:  # on one side only, or both, of what rounding decides
            at = np.array([x for x in (s, closed) if x < np.inf])
            assert (np.abs(potential(at, *state) - 10.0) <= blur(at, *state)).all(), state
    assert found > 200


def rising_piece(rng, rate):
    """(low, high, state) of a monotone piece that ends where the scan does or close to where u turns."""
    while True:
        start, *state = random_state(rng, rate)
        times = start + np.linspace(0.0, rng.exponential(2.0 / state[4]), 300)
        rises = np.append(slope(times, *state) > 0, False)
        first = int(np.argmax(rises))
        last = first + int(np.argmin(rises[first:])) - 1
        if last > first and potential(times[last], *state) > 0:
            return times[first], times[last], state


def root(low, high, state, theta):
    """`rising_root` between two times, whose potentials and slopes it is given."""
    u, rise = ([float(f(t, *state)) for t in (low, high)] for f in (potential, slope))
    return segment.rising_root(low, high, *u, *rise, *state, theta)


@pytest.mark.parametrize("rate", RATES.values(), ids=RATES)
def test_the_root_of_a_rising_piece_is_found(rate, rng):
    found = 0
    for _ in range(1000):
        low, high, state = rising_piece(rng, rate)
        u = potential(np.array([low, high]), *state)
        theta = u[0] + (u[1] - u[0]) * rng.choice([1e-12, rng.random(), 1 - 10 ** -rng.uniform(6, 15), 1.0])
        if not u[0] < theta <= u[1] or theta <= 0:
            continue
        s, fall_ref = root(low, high, state, theta)
        assert low <= s <= high, (low, high, state, theta)
        assert abs(potential(s, *state) - theta) <= blur(s, *state), (low, high, state, theta)
        if state[5] * s < 600:
            assert fall_ref == pytest.approx(math.exp(-state[5] * s), rel=1e-9)
        found += 1
    assert found > 300


@pytest.mark.parametrize("share", [1e-9, 0.01, 0.5, 0.99, 1 - 1e-9, 1.0])
def test_a_root_is_found_where_the_slope_vanishes_at_an_end(share):
    """The first guess divides by the slopes of both ends: up to the psp's peak, and from where both parts cancel."""
    for low, high, state in (
        (0.0, 10.0, (0.0, 5.0, 0.0, 0.0, 0.1, 1.0)), (0.0, 1.0, (3.0, 2.0, 0.0, 0.2 * 3.0 - 2.0, 0.2, 1.5)),
        (0.0, 1.0, (3.0, 2.0, -4.0, -2.0 + 0.2 * 3.0 - 1.5 * 4.0, 0.2, 1.5)),
    ):
        u = potential(np.array([low, high]), *state)
        assert u[0] < u[1] and np.min(np.abs(slope(np.array([low, high]), *state))) < 1e-12
        theta = u[0] + share * (u[1] - u[0])
        s, _ = root(low, high, state, theta)
        assert low <= s <= high and abs(potential(s, *state) - theta) <= blur(s, *state)


def test_a_root_at_the_very_end_is_found():
    """Steps go past the end then, by the last bits, and a small one back inside must not be taken for the last one."""
    for low, high, state in (
        (1.7439341316845525, 21.17634302759814, (-12.89779514260212, 8.191487138813077, -491.4571166737575,
                                                 -700.411594502397, 0.14821602802440836, 0.4250820341670476)),
        (3.8609358541213616, 39.25284785023384, (78.09766158814675, -1.317982163418624, -201.58027616543515,
                                                 -47.42220896738451, 0.020116741576221918, 0.1452011944640394)),
    ):
        for bits in range(8):
            theta = potential(high, *state) * (1 - bits * 2.0**-53)
            s, _ = root(low, high, state, theta)
            assert abs(potential(s, *state) - theta) <= blur(s, *state), (low, high, theta)

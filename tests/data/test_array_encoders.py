"""Numbers to spikes and back: the slow twins, what comes back, and laws."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from naive import encoders as naive

from eventsim.data import ARRAY_ENCODERS, DECODERS
from eventsim.data.encoders import (
    decode_delta,
    decode_latency,
    decode_population,
    decode_rate,
    delta,
    exact_times,
    latency,
    poisson,
    population,
    regular,
)
from eventsim.errors import ConfigError
from eventsim.events import Events
from eventsim.sensor import Sensor
from eventsim.spikes import Spikes

law = settings(deadline=None, derandomize=True, max_examples=60)
values = arrays(float, array_shapes(min_dims=2, max_dims=3, max_side=4), elements=st.floats(0, 1))
series = arrays(float, array_shapes(min_dims=3, max_dims=3, max_side=12), elements=st.floats(0, 1))


def spikes_of(spikes):
    spikes.check()
    array = spikes.to_structured()
    return list(zip(*(array[name].tolist() for name in ("sample", "tick", "address")), strict=True))


def shares(values, n_ticks, most):
    """Values held for some ticks, as nested lists of a share of a spike."""
    flat = values.reshape(len(values), 1, -1) * most
    return np.broadcast_to(flat, (len(flat), n_ticks, flat.shape[2])).tolist()


class TestRates:
    @law
    @given(values, st.integers(1, 20), st.sampled_from([(100.0, 1.0), (1000.0, 1.0), (37.0, 0.5), (0.0, 1.0)]),
           st.integers(0, 2**32))
    def test_of_values_are_those_of_the_slow_twins(self, values, n_ticks, rate, seed):
        max_rate, dt = rate
        share = shares(values, n_ticks, max_rate * dt / 1000)
        spikes = poisson(values, n_ticks, dt, max_rate=max_rate, seed=seed)
        assert spikes_of(spikes) == naive.poisson(share, np.random.default_rng(seed))
        assert spikes_of(regular(values, n_ticks, dt, max_rate=max_rate)) == naive.regular(share)
        assert (spikes.n_samples, spikes.n_neurons) == (len(values), values[0].size)
        assert (spikes.n_ticks, spikes.dt) == (n_ticks, dt)

    @law
    @given(series, st.integers(0, 2**32))
    def test_of_series_are_those_of_the_slow_twins(self, series, seed):
        share = (series * 0.9).tolist()
        spikes = poisson(series, max_rate=900.0, seed=seed)
        assert spikes_of(spikes) == naive.poisson(share, np.random.default_rng(seed))
        spikes = regular(series, max_rate=900.0)
        assert spikes_of(spikes) == naive.regular(share)
        assert (spikes.n_samples, spikes.n_ticks, spikes.n_neurons) == series.shape

    @law
    @given(values, st.integers(1, 30))
    def test_a_constant_series_is_a_value_that_is_held(self, values, n_ticks):
        held = np.repeat(values.reshape(len(values), 1, -1), n_ticks, axis=1)
        assert regular(held) == regular(values, n_ticks)
        assert poisson(held, seed=1) == poisson(values, n_ticks, seed=1)

    def test_draws_do_not_depend_on_how_many_are_made_at_a_time(self, monkeypatch, rng):
        values = rng.random((3, 5))
        whole = poisson(values, 50, seed=7)
        monkeypatch.setattr("eventsim.data.encoders.arrays._NUMBERS", 12)
        assert poisson(values, 50, seed=7) == whole

    @law
    @given(values, st.integers(1, 30))
    def test_samples_one_by_one_are_the_batch(self, values, n_ticks):
        rng = np.random.default_rng(3)
        alone = [poisson(one[None], n_ticks, seed=rng) for one in values]
        assert Spikes.concatenate(alone) == poisson(values, n_ticks, seed=3)

    @law
    @given(values, st.integers(1, 200))
    def test_a_regular_rate_comes_back_to_within_a_spike(self, values, n_ticks):
        back = decode_rate(regular(values, n_ticks, max_rate=500.0), 500.0)
        lack = values.reshape(len(values), -1) - back
        assert (lack >= -1e-6).all() and (lack < 1 / (n_ticks * 0.5) + 1e-6).all()

    def test_a_random_rate_comes_back_to_within_chance(self, rng):
        values, n_ticks = rng.random((4, 500)), 1000
        back = decode_rate(poisson(values, n_ticks, max_rate=200.0, seed=0))
        sigma = np.sqrt(values * 0.2 * (1 - values * 0.2) / n_ticks) / 0.1
        z = (back - 2 * values) / sigma
        assert abs(z.mean()) < 5 / math.sqrt(z.size) and abs(z.std() - 1) < 0.1

    def test_intervals_are_regular_and_random_ones_are_not(self):
        ticks = regular([[0.5]], 1000, max_rate=100.0).tick
        assert ticks.tolist() == list(range(19, 1000, 20))
        gaps = np.diff(poisson([[0.5]], 200_000, max_rate=100.0, seed=0).tick)
        assert abs(gaps.std() / gaps.mean() - 1) < 0.1  # as those of a Poisson process
        assert regular([[1.0]], 5, max_rate=1000.0) == poisson([[1.0]], 5, max_rate=1000.0, seed=0)

    def test_a_value_of_decimals_fires_as_often_as_it_says(self):
        for percent in range(101):
            assert len(regular([[percent / 100]], 1000, max_rate=100.0)) == percent

    def test_seeds_differ_and_a_generator_goes_on(self, rng):
        values = np.full((1, 50), 0.5)
        assert poisson(values, 50, seed=0) != poisson(values, 50, seed=1)
        assert poisson(values, 50, seed=rng) != poisson(values, 50, seed=rng)

    def test_the_numbers_of_an_image_are_the_addresses_of_a_sensor(self):
        image = np.zeros((1, 2, 4, 3))
        image[0, 1, 2, 1] = 1
        assert regular(image, 20).address.tolist() == [Sensor(3, 4, 2).address(1, 2, 1)] * 2

    def test_a_mono_series_is_a_neuron(self):
        for shape in ((8,), (8, 1), (1, 8, 1)):
            spikes = regular(np.full(shape, 0.5), max_rate=1000.0)
            assert (spikes.n_samples, spikes.n_ticks, spikes.n_neurons) == (1, 8, 1)
            assert spikes.tick.tolist() == [1, 3, 5, 7]


class TestLatency:
    @law
    @given(values, st.integers(2, 300))
    def test_is_that_of_the_slow_twin_and_comes_back_to_within_half_a_tick(self, values, n_ticks):
        spikes = latency(values, n_ticks)
        flat = values.reshape(len(values), -1)
        assert spikes_of(spikes) == naive.latency(flat.tolist(), n_ticks)
        assert np.abs(decode_latency(spikes) - flat).max() <= 0.5 / (n_ticks - 1) + 1e-12

    def test_the_largest_is_first_and_nothing_is_silent(self):
        spikes = latency([[0.0, 1e-9, 0.5, 1.0]], 101)
        assert (spikes.tick.tolist(), spikes.address.tolist()) == ([0, 50, 100], [3, 2, 1])
        assert decode_latency(spikes).tolist() == [[0.0, 0.0, 0.5, 1.0]]

    def test_the_first_of_several_spikes_counts(self):
        spikes = Spikes([0, 3], [0, 1, 0], tick=[2, 5, 7], n_neurons=3, n_ticks=11)
        assert np.allclose(decode_latency(spikes), [[0.8, 0.5, 0.0]])


class TestPopulation:
    @law
    @given(values, st.sampled_from([(8, 0.0, 1.0, 1.5), (3, 0.0, 1.0, 1.5), (6, -2.0, 3.0, 1.0), (12, 0.0, 1.0, 2.0)]))
    def test_is_that_of_the_paper_and_comes_back(self, values, shape):
        fields, low, high, beta = shape
        values = low + values.reshape(len(values), -1) * (high - low)
        options = {"fields": fields, "low": low, "high": high, "beta": beta}
        spikes = population(values, 201, cutoff=0.1, **options)
        response = [[r if r >= 0.1 else 0.0 for value in row for r in naive.receptive_fields(value, *shape)]
                    for row in values.tolist()]
        ticks = np.array(naive.latency(response, 201)).reshape(-1, 3)
        got = np.array(spikes_of(spikes)).reshape(-1, 3)
        assert np.abs(ticks[np.lexsort(ticks.T[[2, 0]])] - got[np.lexsort(got.T[[2, 0]])]).max() <= 1  # exp may round
        assert np.abs(decode_population(spikes, **options) - values).max() <= 0.01 * (high - low)

    def test_the_nearest_field_is_the_first_to_fire(self):
        spikes = population([[0.55]], 101, fields=12)
        assert spikes.address[0] == 6 and spikes.tick[0] == 0  # centre 0.55
        assert 1 < len(spikes) < 12

    def test_fewer_ticks_are_coarser_but_not_far_off(self):
        values = np.linspace(0, 1, 101)[:, None]
        error = np.abs(decode_population(population(values, 11)) - values)
        assert 0.001 < error.max() < 0.05

    def test_one_field_gives_its_centre_and_none_gives_nan(self):
        spikes = population([[0.5]], 101, fields=7, cutoff=0.99)
        assert decode_population(spikes, fields=7).tolist() == [[0.5]]
        silent = Spikes([0, 0], [], tick=[], n_neurons=8, n_ticks=10)
        assert np.isnan(decode_population(silent)).all()


class TestDelta:
    @law
    @given(series, st.sampled_from([0.05, 0.1, 0.3, 2.0]), st.sampled_from(["or", "count"]))
    def test_is_that_of_the_slow_twin(self, series, threshold, mode):
        spikes = delta(series, threshold=threshold, mode=mode)
        assert spikes_of(spikes) == naive.delta(series.tolist(), threshold, mode == "or")
        assert (spikes.n_samples, spikes.n_ticks, spikes.n_neurons) == (*series.shape[:2], 2 * series.shape[2])

    @law
    @given(series, st.sampled_from([0.05, 0.1, 0.3]))
    def test_comes_back_to_within_a_threshold(self, series, threshold):
        start = series[:, :1]
        back = decode_delta(delta(series, threshold=threshold, mode="count"), threshold=threshold, start=start)
        assert np.abs(back - series).max() < threshold * (1 + 1e-6)
        slow = np.cumsum(np.clip(np.diff(series, axis=1, prepend=start), -threshold, threshold), axis=1)
        back = decode_delta(delta(slow, threshold=threshold), threshold=threshold)
        assert np.abs(back - slow).max() < threshold * (1 + 1e-6)

    def test_a_step_is_passed_in_one_tick_or_followed_later(self):
        step = [0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 0.75]
        spikes = delta(step, threshold=0.25, mode="count")
        assert spikes_of(spikes) == [(0, 2, 1)] * 4 + [(0, 6, 0)]
        spikes = delta(step, threshold=0.25)
        assert spikes_of(spikes) == [(0, 2, 1), (0, 3, 1), (0, 4, 1), (0, 5, 1), (0, 6, 0)]

    def test_decimal_steps_are_counted_exactly(self):
        ramp = np.arange(101) / 100
        assert delta(ramp, threshold=0.1).tick.tolist() == list(range(10, 101, 10))
        assert delta(-ramp, threshold=0.1).tick.tolist() == list(range(10, 101, 10))

    def test_what_does_not_move_is_silent(self):
        assert len(delta(np.full((5, 3), 7.0), threshold=0.1)) == 0


NONSENSE = [
    (lambda: poisson([0.5], 10, seed=0), r"values have an axis of samples and at least one more, got the shape \[1\]"),
    (lambda: regular([[1.5]], 10), "values must lie in 0..1, got 1.5..1.5; scale them"),
    (lambda: latency([[0.5, math.nan]], 10), "values must lie in 0..1, got nan..nan; scale them"),
    (lambda: latency([["a"]], 10), r"values must be an array of numbers that is not empty, got <U1\[1, 1\]"),
    (lambda: latency([[1], [1, 2]], 10), "values must be an array of numbers that is not empty, got object"),
    (lambda: latency(np.zeros((0, 3)), 10), r"values must be an array of numbers that is not empty, got float64\[0, 3"),
    (lambda: regular(np.zeros((1, 2, 3, 4))), r"has the shape \[T\], \[T, N\] or \[B, T, N\], got \[1, 2, 3, 4"),
    (lambda: regular([2.0]), "the series must lie in 0..1, got 2..2; scale them"),
    (lambda: regular([[0.5]], 9, max_rate=1001), "max_rate must be at most one spike a tick, 1000 a second, got 1001"),
    (lambda: regular([[0.5]], 10, 0.5, max_rate=-1), "max_rate must be a number of at least 0"),
    (lambda: regular([[0.5]], 0), "n_ticks must be a whole number from 1 to"),
    (lambda: regular([[0.5]], 10, 0), "dt must be a time in ms"),
    (lambda: poisson([[0.5]], 10, seed=None), "seed must be a whole number from 0 to"),
    (lambda: latency([[0.5]], 1), "n_ticks must be a whole number from 2 to"),
    (lambda: population([[0.5]], 10, fields=2), "fields must be a whole number from 3 to"),
    (lambda: population([[0.5]], 10, low=1), "low must be below high and beta above 0, got 1, 1 and 1.5"),
    (lambda: population([[0.5]], 10, beta=0), "low must be below high and beta above 0, got 0, 1 and 0"),
    (lambda: population([[0.5]], 10, high=math.inf), "high must be a number of at least -inf and finite, got inf"),
    (lambda: population([[2.0]], 10), "values must lie in 0..1, got 2..2; scale them"),
    (lambda: population([[0.5]], 10, cutoff=1), "cutoff must be a number of at least 0 and below 1, got 1"),
    (lambda: delta([0.0, 1.0], threshold=0), "threshold must be above 0, and not tiny against the range of the series"),
    (lambda: delta([0.0, 1.0], threshold=1e-12), "which is 1; got 1e-12"),
    (lambda: delta([-1e308, 1e308], threshold=1.0), "which is inf; got 1"),
    (lambda: delta([[0.0] * 4, [1.0] * 4], threshold=2**-30, mode="count"), "gives 4294967296 spikes; choose a larger"),
    (lambda: delta([0.0], threshold=1, mode="sum"), "mode must be or or count, got 'sum'"),
    (lambda: delta([math.inf], threshold=1), "the series must be finite, got inf..inf"),
    (lambda: decode_rate(latency([[0.5]], 10), 0), "a rate needs a tick and a max_rate above 0, got 10 ticks and 0"),
    (lambda: decode_latency(Spikes([0], [], tick=[], n_neurons=1, n_ticks=1)), "needs two ticks or more, got 1"),
    (lambda: decode_population(latency([[0.5]], 10)), "populations of 8 fields do not divide 1 neurons"),
    (lambda: decode_delta(latency([[0.5]], 10), threshold=1), "as many ON neurons as OFF ones, got 1 neurons"),
]


@pytest.mark.parametrize(("call", "got"), NONSENSE)
def test_nonsense_is_refused(call, got):
    with pytest.raises(ConfigError, match=got):
        call()


@pytest.mark.parametrize("name", DECODERS)
def test_other_things_than_spikes_of_the_grid_are_refused(name):
    options = {"threshold": 1.0} if name == "delta" else {}
    with pytest.raises(ConfigError, match="expected Spikes, got list"):
        DECODERS[name]([1], **options)
    times, _ = exact_times(Events([5, 3000], [0, 1], [0, 0], [0, 0], Sensor(8, 1, 1)))
    if name == "rate":
        assert decode_rate(times, 500.0)[0, :2].tolist() == [1 / 2, 1 / 2]  # two spikes in 4 ms
    else:
        with pytest.raises(ConfigError, match="expected spikes on the grid"):
            DECODERS[name](times, **options)


def test_every_encoder_gives_spikes_of_the_grid():
    options = {"poisson": {"seed": 0}, "delta": {"threshold": 0.1}}
    for name, encoder in ARRAY_ENCODERS.items():
        ticks = () if name == "delta" else (20,)
        spikes = encoder(np.linspace(0, 1, 12).reshape(3, 4), *ticks, dt=0.5, **options.get(name, {}))
        spikes.check()
        assert len(spikes) > 0 and spikes.tick is not None and spikes.dt == 0.5

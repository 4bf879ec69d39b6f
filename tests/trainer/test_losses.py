"""Losses: values and errors against their definitions."""

import math

import numpy as np
import pytest
from naive import exact_gradient
from naive import srm as naive
from naive.exact import alpha

from eventsim.engine.trace import Readout
from eventsim.errors import ConfigError
from eventsim.model import SRM
from eventsim.spikes import Spikes
from eventsim.trainer import TrainingConfig
from eventsim.trainer.losses import LOSSES, CrossEntropy, PotentialError, SpikeCount, SpikeCountSlayer, SpikeTime

ON_SPIKES = [name for name, kind in LOSSES.items() if kind.takes == "spikes"]


@pytest.fixture
def output(rng):
    dense = rng.random((2, 30, 3)) < 0.2
    b, t, n = np.nonzero(dense)
    spikes = Spikes(np.searchsorted(b, [0, 1, 2]), n, tick=t, n_neurons=3, n_ticks=30, dt=0.5)
    return spikes, dense.astype(float), np.array([2, 0])


def _eps(neuron, dt, n):
    return naive.alpha(neuron.tau_syn, dt, n)


def test_spike_count_is_half_the_squared_deviation(output):
    spikes, dense, labels = output
    result = SpikeCount(6, 2)(spikes, labels, SRM())
    for b, label in enumerate(labels):
        target = np.where(np.arange(3) == label, 6, 2)
        c = (dense[b].sum(axis=0) - target) / 15.0
        assert result.value[b] == pytest.approx(0.5 * np.sum(c**2) * 15.0)
        np.testing.assert_allclose(result.error(b), np.repeat(c[:, None], 30, axis=1), rtol=1e-6)


def test_spike_count_error_is_the_derivative_of_the_loss(output):
    """One spike more changes L by its error, up to the second order of a quadratic."""
    spikes, dense, labels = output
    loss = SpikeCount(6, 2, window=(2.0, 12.0))
    result = loss(spikes, labels, SRM())
    for t, n in ((10, 0), (25, 1), (3, 2)):
        more, less = dense[0].copy(), dense[0].copy()
        more[t, n], less[t, n] = 1, 0
        values = []
        for array in (more, less):
            tick, address = np.nonzero(array)
            one = Spikes([0, len(tick)], address, tick=tick, n_neurons=3, n_ticks=30, dt=0.5)
            values.append(loss(one, labels[:1], SRM()).value[0])
        curvature = 1 / 10.0 if 4 <= t < 24 else 0.0
        middle = (values[0] - values[1]) + curvature * (dense[0][t, n] - 0.5)
        assert result.error(0)[n, t] == pytest.approx(middle, abs=1e-6)


def test_spike_count_slayer_correlates_with_the_psp(output):
    spikes, dense, labels = output
    neuron = SRM(tau_syn=3)
    result = SpikeCountSlayer(6, 2, window=(2.0, 12.0))(spikes, labels, neuron)
    eps = _eps(neuron, 0.5, 30)
    for b, label in enumerate(labels):
        inside = np.zeros((30, 1))
        inside[4:24] = 1
        target = np.where(np.arange(3) == label, 6, 2)
        c = ((dense[b] * inside).sum(axis=0) - target) / 10.0
        err = naive.psp(dense[b] * (1 - inside), eps) + c * inside
        np.testing.assert_allclose(result.error(b).T, naive.adjoint_psp(err, eps, 0.5), atol=1e-5)
        assert result.value[b] == pytest.approx(0.5 * np.sum(err**2) * 0.5)


def test_spike_time_is_the_van_rossum_distance(output):
    spikes, dense, _ = output
    neuron = SRM(tau_syn=2)
    wanted = spikes.samples(1, 2)
    result = SpikeTime()(spikes.samples(0, 1), wanted, neuron)
    eps = _eps(neuron, 0.5, 30)
    err = naive.psp(dense[0], eps) - naive.psp(dense[1], eps)
    assert result.value[0] == pytest.approx(0.5 * np.sum(err**2) * 0.5)
    np.testing.assert_allclose(result.error(0).T, naive.adjoint_psp(err, eps, 0.5), atol=1e-5)
    assert SpikeTime()(wanted, wanted, neuron).value[0] == 0


@pytest.fixture(params=[0.5, 0.7])
def exact(rng, request):
    """Spikes between 30 ticks; some are on ticks, and some on the edges of the window of the ticks 4..23."""
    dt = request.param
    edges = np.array([0, 3, 4, 10, 23, 24, 29]) * dt
    before = np.nextafter([*edges[1:], 30 * dt], 0.0)
    time = np.concatenate((rng.uniform(0, 30 * dt, 40), edges, before))
    array = np.zeros(len(time), [("sample", np.int64), ("time", float), ("address", np.int32)])
    array["time"], array["sample"] = time, rng.integers(0, 2, len(time))
    array["address"] = rng.integers(0, 3, len(time))
    spikes = Spikes.from_structured(array, n_samples=3, n_neurons=3, n_ticks=30, dt=dt)
    return spikes, np.array([2, 0, 1])


def _psp_sums(spikes, b, tau, outside=(0.0, 0.0)):
    """psp [T, N] at the ticks, of the spikes that do not lie in a span of ms, by its sum."""
    one, ticks = spikes.sample(b), np.arange(spikes.n_ticks) * spikes.dt
    out = np.zeros((spikes.n_ticks, spikes.n_neurons))
    for t, i in zip(one.time, one.address, strict=True):
        if not outside[0] <= t < outside[1]:
            out[:, i] += alpha(ticks - t, tau)
    return out


def _adjoint_sums(err, spikes, tau):
    ticks = np.arange(spikes.n_ticks) * spikes.dt
    return np.array([exact_gradient.adjoint(t, err, tau, spikes.dt) for t in ticks])


@pytest.mark.parametrize("kind", [SpikeCount, SpikeCountSlayer])
@pytest.mark.parametrize("windowed", [True, False])
def test_spike_counts_of_spikes_with_times(exact, kind, windowed):
    spikes, labels = exact
    first, last = (4, 24) if windowed else (0, 30)
    span, length = (first * spikes.dt, last * spikes.dt), (last - first) * spikes.dt
    neuron = SRM(tau_syn=3)
    result = kind(6, 2, window=span if windowed else None)(spikes, labels, neuron)
    for b, label in enumerate(labels):
        one = spikes.sample(b)
        inside = one.address[(one.time >= span[0]) & (one.time < span[1])]
        n = np.array([np.sum(inside == i) for i in range(3)])
        c = (n - np.where(np.arange(3) == label, 6, 2)) / length
        err = np.zeros((30, 3))
        err[first:last] = c
        if kind is SpikeCountSlayer:
            err += _psp_sums(spikes, b, 3.0, span)
        want = err if kind is SpikeCount else _adjoint_sums(err, spikes, 3.0)
        np.testing.assert_allclose(result.error(b).T, want, atol=1e-5)
        assert result.value[b] == pytest.approx(0.5 * np.sum(err**2) * spikes.dt)


def test_spike_time_of_spikes_with_times(exact):
    spikes, labels = exact
    loss, neuron = SpikeTime(5, 1), SRM(tau_syn=2)
    even = loss.wanted(labels, spikes)
    on_ticks = Spikes(even.sample_ptr, even.address, time=even.tick * spikes.dt, n_neurons=3, n_ticks=30, dt=spikes.dt)
    other = Spikes.concatenate([spikes.sample(b) for b in (1, 2, 0)])
    for target, wanted in ((labels, on_ticks), (even, on_ticks), (other, other)):
        result = loss(spikes, target, neuron)
        for b in range(3):
            err = _psp_sums(spikes, b, 2.0) - _psp_sums(wanted, b, 2.0)
            np.testing.assert_allclose(result.error(b).T, _adjoint_sums(err, spikes, 2.0), atol=1e-5)
            assert result.value[b] == pytest.approx(0.5 * np.sum(err**2) * spikes.dt)
    assert np.all(loss(spikes, spikes, neuron).value == 0)


@pytest.mark.parametrize("name", ON_SPIKES)
def test_spikes_on_ticks_have_the_loss_of_the_same_times(output, name):
    spikes, _, labels = output
    timed = Spikes(spikes.sample_ptr, spikes.address, time=spikes.tick * spikes.dt, n_neurons=3, n_ticks=30, dt=0.5)
    loss, neuron = LOSSES[name](6, 2), SRM(tau_syn=3)
    grid, exact = (loss(s, labels, neuron) for s in (spikes, timed))
    np.testing.assert_allclose(grid.value, exact.value, rtol=1e-12)
    for b in range(2):
        np.testing.assert_allclose(grid.error(b), exact.error(b), rtol=1e-6, atol=1e-9)


def test_spike_time_wants_even_trains_for_labels():
    silent = Spikes([0, 0], [], tick=[], n_neurons=4, n_ticks=100)
    wanted = SpikeTime(10, 2).wanted([3], silent)
    assert wanted.counts().tolist() == [[2, 2, 2, 10]]
    assert np.ptp(np.diff(wanted.tick[wanted.address == 3])) <= 1


@pytest.mark.parametrize("make", [
    lambda: SpikeCount(-1), lambda: SpikeCount(math.nan), lambda: SpikeCount("60"), lambda: SpikeCount(window=(5, 5)),
    lambda: SpikeCount(window=3), lambda: SpikeTime(2.5), lambda: SpikeTime(60, -1),
])
def test_nonsense_is_refused(make):
    with pytest.raises(ConfigError):
        make()


@pytest.mark.parametrize("name", LOSSES)
def test_labels_outside_the_outputs_are_refused(name):
    given = Spikes([0, 0], [], tick=[], n_neurons=4, n_ticks=100), SRM()
    if name not in ON_SPIKES:
        given = (Readout("mean", np.zeros((1, 4))),)
    with pytest.raises(ConfigError, match="labels"):
        LOSSES[name]()(given[0], np.array([4]), *given[1:])


def test_cross_entropy_is_that_of_the_softmax(rng):
    score, labels = 5.0 * rng.normal(size=(4, 3)), np.array([2, 0, 1, 1])
    score[3] = 800.0, -800.0, 0.0  # exp overflows
    result = CrossEntropy()(Readout("mean", score), labels)
    with np.errstate(over="ignore", invalid="ignore"):
        likely = (np.exp(score) / np.exp(score).sum(axis=1, keepdims=True))[:3]
    np.testing.assert_allclose(result.value[:3], -np.log(likely[range(3), labels[:3]]))
    assert result.value[3] == pytest.approx(1600.0)
    for b in range(3):
        np.testing.assert_allclose(result.error(b), likely[b] - np.eye(3)[labels[b]], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(result.error(3), [1.0, -1.0, 0.0])


def test_potential_error_is_half_the_squared_distance(rng):
    score, labels = rng.normal(size=(4, 3)), np.array([2, 0, 1, 1])
    for target, wanted in ((labels, np.eye(3)[labels]), (score[::-1], score[::-1])):
        result = PotentialError()(Readout("max", score), target)
        np.testing.assert_allclose(result.value, 0.5 * ((score - wanted) ** 2).sum(axis=1))
        np.testing.assert_allclose(result.error(1), score[1] - wanted[1], rtol=1e-6)
    with pytest.raises(ConfigError, match=r"targets must be labels, or numbers of the shape \(4, 3\)"):
        PotentialError()(Readout("max", score), np.zeros((4, 2)))


@pytest.mark.parametrize("kind", [CrossEntropy, PotentialError])
def test_errors_of_scores_are_derivatives_of_the_loss(kind, rng):
    score, labels, h = rng.normal(size=(2, 5)), np.array([3, 1]), 1e-6
    result = kind()(Readout("last", score), labels)
    for i in range(5):
        step = h * (np.arange(5) == i)
        above, below = (kind()(Readout("last", score + s * step), labels).value[0] for s in (1, -1))
        assert result.error(0)[i] == pytest.approx((above - below) / (2 * h), abs=1e-6)


def test_a_window_is_a_setting_of_a_training():
    config = TrainingConfig(loss_window=[10, 30])
    assert config.loss_window == config.make_loss().window == (10.0, 30.0)
    assert TrainingConfig(**config.as_dict()) == config
    for window in ((5, 5), "ab", 3):
        with pytest.raises(ConfigError, match="window must be"):
            TrainingConfig(loss_window=window)
    with pytest.raises(ConfigError, match="loss_window is a setting of spike_count or spike_count_slayer, and"):
        TrainingConfig(loss="spike_time", loss_window=(1, 2))

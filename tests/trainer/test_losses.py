"""Losses: values and errors against their definitions."""

import math

import numpy as np
import pytest
from naive import srm as naive

from eventsim.errors import ConfigError
from eventsim.model import SRM
from eventsim.spikes import Spikes
from eventsim.trainer.losses import LOSSES, SpikeCount, SpikeCountSlayer, SpikeTime


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
    silent = Spikes([0, 0], [], tick=[], n_neurons=4, n_ticks=100)
    with pytest.raises(ConfigError, match="labels"):
        LOSSES[name]()(silent, np.array([4]), SRM())

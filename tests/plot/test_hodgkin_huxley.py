"""Hodgkin and Huxley's neuron against the paper's own equations, and what is known of the squid's axon."""

import numpy as np
import pytest
from naive import hodgkin_huxley as naive

from eventsim.plot import hodgkin_huxley as model


def run(current, ms, dt=model.STEP):
    v = model.potential(np.full(round(ms / dt), float(current)), dt)
    return v, model.spikes(v, dt)


def test_it_is_the_paper_of_1952(rng):
    """A current that changes often, from strong inhibition to strong drive; two schemes, two steps, two notations."""
    steps = np.repeat(rng.uniform(-10.0, 20.0, 24), 500)
    v = model.potential(steps)
    want = naive.membrane(np.repeat(steps, 2), model.STEP / 2)[::2]
    ours, theirs = (model.spikes(one) for one in (v, want))
    assert len(ours) > 3
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=0.01)
    calm = np.ones(len(v), bool)
    for at in theirs:  # where it rises by 300 mV a ms
        calm[int((at - 2) / model.STEP) : int((at + 3) / model.STEP)] = False
    np.testing.assert_allclose(v[calm], want[calm], rtol=0, atol=0.05)


@pytest.mark.parametrize("v", [-80.0, -65.0, -55.0, -40.0, -40.0 + 1e-7, 0.0, 40.0])
def test_gates_are_those_of_the_paper(v):
    n, m, h = naive._rates(-65.0 - v)
    np.testing.assert_allclose(model.rates(v), [m, h, n], rtol=1e-6)


def test_it_rests_at_minus_65_mv():
    v, spikes = run(0.0, 200)
    assert len(spikes) == 0 and np.abs(v + 65.0).max() < 0.02


def test_its_spike_is_as_high_and_wide_as_measured():
    v, spikes = run(10.0, 12)
    assert len(spikes) == 1
    assert 35.0 < v.max() < 45.0 and v.min() < -70.0  # 100 mV over rest, and below it afterwards
    width = (v > (v.max() - 65.0) / 2).sum() * model.STEP  # at half its height
    assert 0.8 < width < 2.0


def test_it_fires_from_a_rheobase_on_and_then_fast_at_once():
    """Class 2 excitability: a spike or two below 6.2 uA/cm2, and never slowly above; 68 Hz at 10."""
    n, rate = {}, {}
    for current in (2.0, 4.0, 6.0, 6.5, 10.0, 30.0):
        _, spikes = run(current, 400)
        n[current], rate[current] = len(spikes), 1000.0 / np.diff(spikes)[-1] if len(spikes) > 1 else 0.0
    assert n[2.0] == 0 and n[4.0] == 1 and n[6.0] <= 3 and n[6.5] > 20
    assert 50 < rate[6.5] < 57 and 66 < rate[10.0] < 71 and 95 < rate[30.0] < 110


def test_it_fires_when_inhibition_ends_and_is_refractory_after_a_spike():
    current = np.zeros(round(60 / model.STEP))
    current[1000:3000] = -6.0
    assert len(model.spikes(model.potential(current))) == 1
    pulses = np.zeros(round(60 / model.STEP))
    pulses[1000:1050] = pulses[1400:1450] = pulses[4000:4050] = 20.0  # the second after 4 ms
    np.testing.assert_allclose(model.spikes(model.potential(pulses)), [11.5, 41.5], atol=1.0)


def test_a_finer_step_changes_little():
    _, coarse = run(10.0, 100)
    _, fine = run(10.0, 100, model.STEP / 10)
    np.testing.assert_allclose(coarse, fine, rtol=0, atol=0.01)

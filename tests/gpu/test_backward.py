"""Gradients and steps on a device: the bits of the CPU."""

import importlib

import numpy as np
import pytest
from scenes import random_network, random_spikes, some_but_not_all

from eventsim.engine import Sink, backward, forward
from eventsim.engine.backward import gather_error
from eventsim.engine.gpu.devices import on_device
from eventsim.engine.output_error import CountGradient
from eventsim.errors import ConfigError
from eventsim.kernels.memory import on_host, zeros_like
from eventsim.model import SRM
from eventsim.trainer.optimizers import OPTIMIZERS

from .test_forward import scene

INF = np.inf
SUPPORTS = [(0.3, 0.3, 0.3), (1.5, 0.3, 0.3), (INF, INF, INF), (0.95, 0.3, INF), (INF, 0.3, 0.3)]


def gradients(network, spikes, supports, errors, pressure=None, truncate=False):
    """Gradients of all weights, on the host."""
    trace = forward(network, spikes, supports=supports, truncate=truncate)
    out = [zeros_like(array) for array in network.parameters]
    backward(network, trace, errors.__getitem__, [Sink(gradient=array) for array in out], pressure=pressure,
             truncate=truncate)
    return [on_host(array) for array in out]


def assert_same(got, want):
    for ours, theirs in zip(got, want, strict=True):
        assert np.abs(theirs).max() > 0
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("kind, rate", [("plain", 0.1), ("dead ticks", 0.004), ("dyadic", 0.1)])
@pytest.mark.parametrize("supports", SUPPORTS)
def test_gradients_have_the_bits_of_the_cpu(device, rng, kind, rate, supports):
    network, spikes = scene(rng, kind, rate, n_ticks=70)
    errors = rng.normal(size=(3, 20, 70)).astype(np.float32)
    pressure = [rng.normal(0, 1, 3).astype(np.float32), None, rng.normal(0, 1, 3).astype(np.float32)]
    pressure = pressure if supports[0] != INF else None
    want = gradients(network, spikes, supports, errors, pressure)
    assert_same(gradients(on_device(network, device), spikes, supports, errors, pressure), want)


@pytest.mark.parametrize("supports, widths", [((0.3, 0.3), (30, 65, 750)), ((INF, INF), (30, 9, 66))])
def test_many_tiles_above_and_blocks_of_samples_are_summed_in_the_order_of_the_cpu(
    one_device, rng, supports, widths, little_room
):
    """Twelve tiles above send errors in eight groups; 900 ticks make blocks of two samples, held together or apart."""
    network = random_network(rng, widths, (5.0, 4.0))
    spikes = random_spikes(rng, 30, 3, 900, 0.01, empty=(1,))
    errors = rng.normal(size=(3, widths[-1], 900)).astype(np.float32)
    want = gradients(network, spikes, supports, errors)
    ours = on_device(network, one_device)
    assert_same(gradients(ours, spikes, supports, errors), want)
    little_room(one_device)
    assert_same(gradients(ours, spikes, supports, errors), want)


@pytest.mark.parametrize("is_held_at_once", [True, False])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_steps_within_the_walk_and_by_themselves_have_the_bits_of_the_cpu(
    one_device, rng, name, is_held_at_once, little_room, monkeypatch
):
    device = one_device if is_held_at_once else little_room(one_device)
    monkeypatch.setattr(importlib.import_module("eventsim.engine.adjoint"), "_BLOCK_ROWS", 60)
    network = random_network(rng, (30, 70, 20), (4.0, 4.0))
    networks = [network, on_device(network, device), on_device(network, device)]
    optimizers = [OPTIMIZERS[name](each.parameters) for each in networks]
    for _ in range(3):
        spikes = random_spikes(rng, 30, 3, 60)
        errors = rng.normal(size=(3, 20, 60)).astype(np.float32)
        for i, (each, optimizer) in enumerate(zip(networks, optimizers, strict=True)):
            optimizer.begin(1e-2)
            trace = forward(each, spikes, supports=(0.5, INF))
            assert some_but_not_all(trace.output)
            if i < 2:
                backward(each, trace, errors.__getitem__, [optimizer.sink(k) for k in range(2)])
                continue
            made = [zeros_like(array) for array in each.parameters]
            backward(each, trace, errors.__getitem__, [Sink(gradient=array) for array in made])
            for k, (array, gradient) in enumerate(zip(each.parameters, made, strict=True)):
                optimizer.update(k, array, gradient, device)
                assert not gradient.get().any()
    states = [optimizer.state() for optimizer in optimizers]
    for other, state in zip(networks[1:], states[1:], strict=True):
        for ours, theirs in zip(other.parameters, network.parameters, strict=True):
            np.testing.assert_array_equal(ours.get(), theirs)
        assert state.keys() == states[0].keys()
        for key, value in states[0].items():
            np.testing.assert_array_equal(state[key], value)


def test_no_more_is_held_than_a_block_of_the_cpu_where_there_is_little_room(one_device, rng, little_room, monkeypatch):
    """g is held for two of five samples; entries of all samples but those of the block are left alone."""
    network = on_device(random_network(rng, (30, 70, 130), (4.0, 4.0)), little_room(one_device))
    spikes = random_spikes(rng, 30, 5, 900, 0.01)
    trace = forward(network, spikes, supports=(0.3, INF))
    made, empty = [], one_device.empty
    monkeypatch.setattr(one_device, "empty", lambda shape, kind: made.append((shape, kind)) or empty(shape, kind))
    errors = rng.normal(size=(5, 130, 900)).astype(np.float32)
    backward(network, trace, errors.__getitem__, [Sink(gradient=zeros_like(w)) for w in network.parameters])
    assert [shape for shape, kind in made if np.ndim(shape) and len(shape) == 3 and 900 in shape] == [
        (6, 900, 64), (4, 900, 64)]


@pytest.mark.parametrize("supports", [(0.3, 0.5), (0.3, INF)])
@pytest.mark.parametrize("window", [(0, 70), (20, 66), (0, 0)])
def test_the_error_of_counts_is_spread_over_the_pairs(device, rng, supports, window):
    """And one of any other kind is gathered at them; both as on the CPU."""
    network, spikes = random_network(rng, (30, 40, 70), (4.0, 4.0)), random_spikes(rng, 30, 3, 70)
    error = CountGradient(rng.normal(size=(3, 70)).astype(np.float32), 70, *window)
    want = forward(network, spikes, supports=supports).layers[-1].active
    got = forward(on_device(network, device), spikes, supports=supports).layers[-1].active
    wanted = np.full((1, want.n_pairs), np.nan, np.float32)
    for b in range(3):
        pair, address, tick = want.coordinates(b)
        inside = (address >= 0) & (tick >= window[0]) & (tick < window[1])
        wanted[0, pair] = np.where(inside, error.value[b, address], 0.0)
    for other in (error, error.__call__):
        np.testing.assert_array_equal(gather_error(got, other).get(), wanted)
        np.testing.assert_array_equal(gather_error(want, other), wanted)


def test_a_run_on_another_device_is_refused(device, rng):
    network = random_network(rng, (30, 20), (4.0,), SRM(tau_syn=3.0))
    spikes = random_spikes(rng, 30, 2, 20)
    errors = np.zeros((2, 20, 20), np.float32)
    ours = on_device(network, device)
    for ran, walked in ((network, ours), (ours, network)):
        trace = forward(ran, spikes, supports=[0.3])
        with pytest.raises(ConfigError, match="another device"):
            backward(walked, trace, errors.__getitem__, [Sink(gradient=zeros_like(walked.parameters[0]))])

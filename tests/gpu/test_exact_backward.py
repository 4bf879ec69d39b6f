"""Active sets, gradients and training in continuous time on a device: those of the CPU.

On the host they have the same bits. A GPU rounds exponentials in its own way, so that there numbers agree to rounding.
"""

import importlib
import itertools

import numpy as np
import pytest
from exact_gradient_scenes import NEURONS, errors_for, random_times
from naive.exact import alpha
from patches import Patches
from scenes import random_network
from spatial_scenes import random_times as times_for
from spatial_scenes import spatial_network

import eventsim as es
from eventsim.engine import Sink, backward
from eventsim.engine.exact import forward_exact
from eventsim.engine.gpu.devices import on_device
from eventsim.kernels.memory import on_host, zeros_like
from eventsim.spikes import Spikes

from .test_exact import assert_same as assert_same_spikes
from .test_whole import SETTINGS, command, course

INF = np.inf
# Supports of three layers, and ticks: less than a chunk, and parts of the second and third; and their length in ms.
CASES = [((0.3, 0.3, 0.5), 150, 1.0), ((1.5, INF, 1.0), 70, 0.3), ((INF, INF, INF), 30, 1.0)]
KINDS = [*zip(NEURONS, 2 * CASES, strict=True), ("plain", CASES[1])]


def training(network, spikes, supports, errors, seed=None):
    """The trace of a run and the gradients of all parameters, on the host."""
    trace = forward_exact(network, spikes, supports=supports, rng=seed and np.random.default_rng(seed))
    out = [zeros_like(array) for array in network.parameters]
    pressure = [np.linspace(-1.0, 1.0, spikes.n_samples, dtype=np.float32), *[None] * (len(network.layers) - 1)]
    backward(network, trace, errors.__getitem__, [Sink(gradient=array) for array in out], pressure=pressure)
    return trace, [on_host(array) for array in out]


def assert_close(device, got, want, rounding=1e-5):
    """Two arrays agree to rounding, and to the bit on the host."""
    if device.name == "host":
        np.testing.assert_array_equal(got, want)
    np.testing.assert_allclose(got, want, rtol=0, atol=rounding * np.abs(want).max(initial=0.0))


def pairs_of(active):
    """{(block, lane, tick): rho} of an `ActiveSet`; of a full one rho is 0."""
    blocks = np.repeat(np.arange(len(active.entry_start) - 1), np.diff(active.entry_start)).tolist()
    keys = [(block, lane, tick) for block, lane, ticks in zip(blocks, active.entry_lane.tolist(),
                                                              active.entry_ticks.tolist(), strict=True)
            for tick in range(64) if ticks >> tick & 1]
    return dict(zip(keys, active.rho.tolist(), strict=True))


def compare_active(device, got, want):
    """The active sets of two runs agree; the first was on a device."""
    for ours, theirs in zip(got.layers, want.layers, strict=True):
        active = ours.active.get()
        assert theirs.active.n_pairs > 0
        if device.name != "host":  # which rounds exponentials in its own way, and so decides by itself at the edges
            own, others = pairs_of(active), pairs_of(theirs.active)
            assert len(own.keys() ^ others.keys()) <= 2 + 1e-4 * len(others)
            common = sorted(own.keys() & others.keys())
            assert_close(device, *(np.array([pairs[k] for k in common]) for pairs in (own, others)))
            continue
        assert ours.active.n_pairs == theirs.active.n_pairs
        for name in ("entry_start", "pair_start", "entry_lane", "entry_ticks"):
            np.testing.assert_array_equal(getattr(active, name), getattr(theirs.active, name), name)
        assert_close(device, active.rho, theirs.active.rho)


def compare(device, network, spikes, supports, errors, seed=None, assert_spikes=assert_same_spikes):
    """Run and walk back on both sides, and compare all that comes of it; returns the device's layers."""
    want, gradients = training(network, spikes, supports, errors, seed)
    got, own_gradients = training(on_device(network, device), spikes, supports, errors, seed)
    if assert_spikes(network, device, got, want):
        return got.layers  # another course from the excused crossing on
    compare_active(device, got, want)
    for ours, theirs in zip(own_gradients, gradients, strict=True):
        assert np.abs(theirs).max() > 0
        assert_close(device, ours, theirs)
    return got.layers


@pytest.mark.parametrize("kind, case", KINDS, ids=str)
def test_active_sets_and_gradients_are_those_of_the_cpu(one_device, rng, kind, case):
    supports, n_ticks, dt = case
    gain = 0.5 if kind == "dead for part of a tick" else 1.0  # what fires hundreds of times makes much of rounding
    network = random_network(rng, (12, 70, 66, 9), (5.0 * gain, 2.0 * gain, 2.0 * gain), NEURONS[kind], dt)
    spikes = random_times(rng, 12, int(2 * n_ticks * dt), n_ticks, dt, empty=(1,))
    compare(one_device, network, spikes, supports, errors_for(network, spikes, rng))


def test_a_spike_on_a_tick_is_seen_from_the_next_tick_on(one_device):
    """Thresholds that a psp reaches on a tick, or by the last bits of its time before or after it."""
    spikes, on_tick = Spikes([0, 1], [0], time=[0.0], n_neurons=1, n_ticks=30, dt=0.25), 0
    for k, step in itertools.product(range(2, 6), (-2, -1, 0, 1, 2)):
        theta = 20.0 * alpha(k * 0.25, 2.5) * (1 + step * 2.0**-52)
        network = es.Network("1-1", es.SRM(theta=theta, tau_syn=2.5, t_abs=0.25, scale_ref=0.02), dt=0.25, seed=None)
        network.layers[0].weight = [[20.0]]
        want = forward_exact(network, spikes, supports=(INF,))
        got = forward_exact(on_device(network, one_device), spikes, supports=(INF,))
        on_tick += np.isin(want.output.time, np.arange(30) * 0.25).sum()
        np.testing.assert_allclose(got.output.time, want.output.time, rtol=0, atol=1e-12)
        if (got.output.time == want.output.time).all():  # else rounding may put a spike to the other side of a tick
            active, wanted = got.layers[0].active.get(), want.layers[0].active
            np.testing.assert_array_equal(active.entry_ticks, wanted.entry_ticks)
            assert_close(one_device, active.rho, wanted.rho)
    assert on_tick > 5


def test_threads_of_a_warp_wait_for_each_other(device, rng):
    network = random_network(rng, (12, 70, 9), (5.0, 2.0), NEURONS["plain"])
    spikes = random_times(rng, 12, 100, 70)
    compare(device, network, spikes, (0.5, 1.0), errors_for(network, spikes, rng))


@pytest.mark.parametrize("is_held_at_once", [True, False])
def test_blocks_of_samples_and_many_tiles_above_add_up_in_the_order_of_the_cpu(
    one_device, rng, monkeypatch, little_room, is_held_at_once
):
    """Room for two of three samples, and errors of twelve tiles in eight groups."""
    if not is_held_at_once:
        little_room(one_device)
    monkeypatch.setattr(importlib.import_module("eventsim.engine.adjoint"), "_BLOCK_ROWS", 40)
    network = random_network(rng, (10, 65, 750), (6.0, 2.0), NEURONS["plain"])
    spikes = random_times(rng, 10, 40, 20)
    compare(one_device, network, spikes, (1.5, 0.3), errors_for(network, spikes, rng))


@pytest.mark.parametrize("notation", ["6x6x2-2p-bn-70-do0.3-9", "5x4x2-do0.5-66-bn-9", "30-70-bn-20-bn-9"])
def test_stages_and_constant_inputs(one_device, rng, notation):
    network = spatial_network(rng, notation, offset=0.3)
    spikes = times_for(rng, network, 80, n_samples=3)
    compare(one_device, network, spikes, [0.8] * len(network.layers), errors_for(network, spikes, rng), seed=5)


@pytest.mark.parametrize("supports", [(1.5, INF), (0.3, 0.3)])
def test_no_spikes_give_no_gradient(one_device, rng, supports):
    network = on_device(random_network(rng, (5, 4, 3), (1.0, 1.0)), one_device)
    for n_samples, n_ticks in ((0, 8), (2, 0), (2, 8)):
        spikes = Spikes(np.zeros(n_samples + 1, int), [], time=[], n_neurons=5, n_ticks=n_ticks)
        trace = forward_exact(network, spikes, supports=supports)
        errors, gradients = np.ones((n_samples, 3, n_ticks), np.float32), [zeros_like(w) for w in network.parameters]
        backward(network, trace, errors.__getitem__, [Sink(gradient=array) for array in gradients])
        assert not any(on_host(g).any() for g in gradients)
        rests = n_samples * n_ticks * np.array([4, 3]) * (np.array(supports) >= 1)
        assert [done.active.n_pairs for done in trace.layers] == rests.tolist()


@pytest.mark.parametrize("arch, settings", [
    ("8x8x1-70-4", {}), ("8x8x1-16-4", {"optimizer": "sgd", "loss": "spike_time", "support": "inf"}),
    ("8x8x1-2p-20-bn-9-do0.2-4", {"optimizer": "adamw", "rate_high": 3.0}),
], ids=str)
def test_training_takes_the_course_of_the_cpu(as_gpu, arch, settings):
    (gains, history, weights), (own_gains, own_history, own_weights) = (
        course(es.Network(arch, clock="exact", seed=1), place, **(SETTINGS | settings)) for place in ("cpu", "gpu"))
    assert history[-1]["loss"] != history[0]["loss"]
    np.testing.assert_allclose(own_gains, gains, rtol=1e-3)
    for ours, theirs in zip(own_history, history, strict=True):
        assert ours["loss"] == pytest.approx(theirs["loss"], rel=1e-2)
    if as_gpu.name == "host":
        assert (own_gains, own_history) == (gains, history)
    for ours, theirs in zip(own_weights, weights, strict=True):
        assert_close(as_gpu, ours, theirs, rounding=1e-2)


def test_a_run_goes_on_where_it_stopped_on_another_device(as_gpu, tmp_path):
    weights = []
    for names in (("cpu", "cpu"), ("cpu", "gpu"), ("gpu", "cpu")):
        out = tmp_path / "-".join(names)
        trainer = es.Trainer(es.Network("8x8x1-16-4", clock="exact", seed=1).to(names[0]), out=out, **SETTINGS)
        trainer.config.__dict__["epochs"] = 1
        trainer.fit(Patches(16))
        trainer.config.__dict__["epochs"] = 2
        trainer.save()
        resumed = es.Trainer.resume(out, names[1])
        resumed.fit(Patches(16))
        weights.append([layer.weight for layer in resumed.network.layers])
    for other in weights[1:]:
        for ours, theirs in zip(other, weights[0], strict=True):
            assert_close(as_gpu, ours, theirs, rounding=1e-2)


def test_train_on_the_command_line(as_gpu, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = command("train", "--arch", "34x34x2-16-10", "--clock", "exact", "--samples", 10, "--validation-samples", 10,
                   "--epochs", 1, "--no-calibrate", "--device", "gpu", "--out", "run", "--json")
    assert np.isfinite(done["history"][0]["loss"])
    assert "exact_forward_active" in getattr(as_gpu, "launched", ["exact_forward_active"])

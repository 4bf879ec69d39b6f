"""Convolutions, pools and what stands between layers on a device: the bits of the CPU."""

import numpy as np
import pytest
from conv_scenes import GEOMETRIES, Walks, conv_network, random_conv_network, random_errors, train_forward
from scenes import random_spikes, some_but_not_all

from eventsim.engine import Sink, backward, forward
from eventsim.engine.feed import statistics_of, take_in_statistics
from eventsim.engine.gpu.devices import on_device
from eventsim.kernels.layout import DRIVE_ROWS, TILE
from eventsim.kernels.memory import on_host, zeros_like
from eventsim.model import SRM

from .test_backward import assert_same as assert_same_arrays
from .test_forward import assert_same

INF = np.inf
NETWORKS = {
    "two tiles a position": ("6x5x2-100c3-70c2-5", (0.5, INF, 1.5)),
    "one channel": ("9x9x1-1c3-1c3-3", (INF, 0.5, INF)), "strides": ("11x10x2-8c2s3-12c2s2p1", (0.5, 0.5)),
    "dilation and groups": ("10x9x2-8c3d2-12c2d2p1g4-5", (1.5, 0.5, INF)),
    "pools": ("12x11x2-6c3-2a-16c2-2au-5", (0.5, INF, 0.5, 0.5, INF)), "pool first": ("8x8x3-2a-12c2", (INF, 0.5)),
    "average pools": ("13x12x2-2p-16c2-2p-20-5", (0.5, 0.5, INF)),
    "norm": ("9x8x2-bn-12c3p1-bn-16c3-bn-7", (0.5, INF, 0.5)),
    "norm of lone channels": ("20-30-bn-9-bn-4", (INF, 0.5, INF)),
    "norm into a pool": ("9x9x2-8c2-bn-2a-5", (0.5, 0.5, 0.5)),
    "dropout": ("9x8x2-do0.2-12c3-do0.4-40-do0.3-6", (0.5, INF, INF)),
    "all stages": ("13x12x2-12c3-2p-bn-6c2p1-do0.3-9c2s2-5", (0.5, 0.3, 0.5, INF)),
    "the paper's": ("16x16x2-12c5-2p-bn-8c3-2p-bn-20-do0.2-9-6", (0.3, 0.3, INF, INF, INF)),
}


def scene(rng, notation, n_ticks=70, neuron=None, n_samples=3):
    spikes = random_spikes(rng, conv_network(notation).arch.n_inputs, n_samples, n_ticks, 0.1, repeats=True, empty=(1,))
    return random_conv_network(rng, notation, spikes, neuron or SRM(tau_syn=3.0)), spikes


def training(network, spikes, supports, errors):
    """The trace of a training step, and on the host the gradients of all parameters and what normalises then."""
    trace = train_forward(network, spikes, supports)
    out = [zeros_like(array) for array in network.parameters]
    backward(network, trace, errors.__getitem__, [Sink(gradient=array) for array in out],
             pressure=[np.ones(spikes.n_samples, np.float32) for _ in network.layers])
    take_in_statistics(network, statistics_of(trace))
    norms = [stage for layer in network.layers for stage in layer.stages if stage.kind == "batch_norm"]
    kept = [array for norm in norms for array in (norm.running_mean, norm.running_var)]
    return trace, [*(on_host(array) for array in out), *kept]


@pytest.mark.parametrize("name", GEOMETRIES)
def test_every_geometry(one_device, rng, name):
    network, spikes = scene(rng, GEOMETRIES[name], 40)
    want = forward(network, spikes, supports=[0.5])
    assert some_but_not_all(want.output)
    assert_same(forward(on_device(network, one_device), spikes, supports=[0.5]), want)


@pytest.mark.parametrize("name", NETWORKS)
def test_training_has_the_bits_of_the_cpu(one_device, rng, by_patches, name):
    notation, supports = NETWORKS[name]
    network, spikes = scene(rng, notation)
    errors, ours = random_errors(rng, network, spikes), on_device(network, one_device)
    want, arrays = training(network, spikes, supports, errors)
    got, own_arrays = training(ours, spikes, supports, errors)
    assert_same(got, want)
    assert_same_arrays(own_arrays, arrays)
    assert_same(forward(ours, spikes), forward(network, spikes))


def test_a_drive_in_which_there_is_nothing_has_a_place_for_every_tile_and_patch(
    one_device, rng, by_patches, monkeypatch
):
    """And not for every sample; of convolutions all of whose lanes are neurons, which have no drive of their own."""
    network, spikes = scene(rng, "4x5x2-64c2-128c2", 40)
    ours, zeros, places = on_device(network, one_device), one_device.zeros, []

    def spy(shape, dtype):
        if np.ndim(shape) and tuple(shape[1:]) == (DRIVE_ROWS, TILE):
            places.append(shape[0])
        return zeros(shape, dtype)
    monkeypatch.setattr(one_device, "zeros", spy)
    errors = random_errors(rng, network, spikes)
    want, gradients = training(network, spikes, (INF, INF), errors)
    got, own = training(ours, spikes, (INF, INF), errors)
    assert_same(got, want)
    assert_same_arrays(own, gradients)
    assert sorted(places) == [3 * 4, 2 * 2 * 3]


def test_many_samples_are_summed_in_the_groups_of_the_cpu(device, rng, by_patches, little_room):
    """Held together, and one at a time, which cuts groups."""
    notation, supports = "7x6x2-12c3-2p-bn-9-4", (0.5, INF, 0.5)
    network, spikes = scene(rng, notation, 30, SRM(tau_syn=3.0, t_abs=3.0), n_samples=11)
    errors, ours = random_errors(rng, network, spikes), [on_device(network, device) for _ in range(2)]
    _, want = training(network, spikes, supports, errors)
    for each in ours:
        _, got = training(each, spikes, supports, errors)
        little_room(device)
        for own, theirs in zip(got, want, strict=True):
            np.testing.assert_array_equal(own, theirs)


def test_spikes_are_those_of_the_naive_walk(device, rng):
    network, spikes = scene(rng, "10x8x2-12c3-2p-bn-16c3p1-do0.2-9", 40)
    trace = train_forward(on_device(network, device), spikes, None)
    assert some_but_not_all(trace.output)
    assert Walks(network, trace).excuses <= 3


def test_weights_stay_on_the_device(one_device, rng):
    """A forward run makes of them there what convolutions and layers behind stages need."""
    network, spikes = scene(rng, "9x8x2-12c3-2p-bn-8c2-do0.2-7-bn-5", 20)
    ours = on_device(network, one_device)
    if one_device.name != "host":
        pytest.skip("arrays of a GPU do not tell who fetches them")

    class Unfetched(type(ours.layers[0].packed)):
        def get(self):
            raise AssertionError("weights were fetched")

    for layer in ours.layers:
        layer.packed.__class__ = Unfetched
    with pytest.raises(AssertionError, match="weights were fetched"):
        _ = ours.layers[0].weight
    assert len(train_forward(ours, spikes, None).output)


def test_a_bias_is_a_constant_input(device, rng):
    network, spikes = scene(rng, "6x5x2-12c3-9", 40)
    for layer in network.layers:
        layer.bias = rng.uniform(0.0, 2.0, layer.n_out)
    want = forward(network, spikes)
    assert want.layers[0].spikes.counts()[1].any()  # in the sample that is empty
    assert_same(forward(on_device(network, device), spikes), want)


def test_a_gradient_that_the_cpu_sums_up_by_pairs_is_the_same_but_for_rounding(one_device, rng):
    network, spikes = scene(rng, "9x8x2-32c3-2p-bn-16c3p1-7")
    supports, errors, ours = (0.5, 0.3, INF), random_errors(rng, network, spikes), on_device(network, one_device)
    _, want = training(network, spikes, supports, errors)
    _, got = training(ours, spikes, supports, errors)
    for own, theirs in zip(got, want, strict=True):
        assert np.abs(own - theirs).max() <= 1e-5 * np.abs(theirs).max()
    assert any((own != theirs).any() for own, theirs in zip(got, want, strict=True))


def test_rows_of_weights_and_what_is_summed_over_time_stay_on_the_device(one_device, rng, monkeypatch):
    if one_device.name != "host":
        pytest.skip("what comes from a GPU cannot be watched")
    network, spikes = scene(rng, "9x8x2-12c3p1-bn-16c3-bn-7")
    ours, errors, fetched = on_device(network, one_device), random_errors(rng, network, spikes), []
    trace = train_forward(ours, spikes, (0.5, 0.5, 0.5))
    sinks, get = [Sink(gradient=zeros_like(array)) for array in ours.parameters], one_device.array_type.get
    monkeypatch.setattr(one_device.array_type, "get", lambda array: fetched.append(array) or get(array))
    backward(ours, trace, errors.__getitem__, sinks)
    rows = [trace.layers[i].wiring.weight.shape[:2] for i in (2, 1)]
    assert [array.shape for array in fetched if array.dtype.kind == "f"] == [(2, *shape) for shape in rows]
    assert all(on_host(sink.gradient).any() for sink in sinks)

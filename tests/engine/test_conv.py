"""Convolutions and spiking pools against dense stepping of the same synapses, and what must hold of every run."""

import numpy as np
import pytest
from conv_scenes import GEOMETRIES, Walks, conv_network, maps, random_conv_network
from naive import spatial, srm, srm32
from scenes import Dyadic, dense, pairs, random_spikes, some_but_not_all

from eventsim import kernels
from eventsim.engine.feed import feed
from eventsim.engine.forward import forward, forward_layer
from eventsim.engine.wiring import wire
from eventsim.model import SRM
from eventsim.spikes import Spikes

NEURONS = {
    "plain": (SRM(tau_syn=4.0), 1.0, False), "dead ticks": (SRM(tau_syn=4.0, t_abs=3.0), 1.0, False),
    "weak refractory response": (SRM(tau_syn=3.0, scale_ref=0.05, tau_ref=2.0, t_abs=2.0), 1.0, False),
    "short ticks": (SRM(tau_syn=2.0, tau_ref=0.5, t_abs=0.6), 0.25, False),
    "truncated": (SRM(tau_syn=2.0), 1.0, True), "truncated, dead ticks": (SRM(tau_syn=1.0, t_abs=2.0), 1.0, True),
}


def scene(rng, notation, *, neuron=None, dt=1.0, n_ticks=40, rate=0.1, repeats=False):
    """A network and a batch of three samples, of which the second is silent."""
    spikes = random_spikes(rng, conv_network(notation).arch.n_inputs, 3, n_ticks, rate, repeats, empty=(1,), dt=dt)
    return random_conv_network(rng, notation, spikes, neuron), spikes


def matrix(layer):
    """A layer as dense weights float64[N_in, N_out]."""
    window, shape = layer.window, layer.given
    return spatial.conv_matrix(layer.weight.astype(float), (shape.channels, shape.height, shape.width), window.stride,
                               window.padding, window.dilation, layer.groups, window.rounds_up)


def by_pixel(spikes, n_pixels):
    """(tick, address) in the order in which a tick's weights are added up: pixel by pixel, as the pixels first come."""
    out = []
    for t in range(spikes.n_ticks):
        now = spikes.address[spikes.tick == t]
        pixel = (now % n_pixels).tolist()
        out += [(t, now[k]) for k in sorted(range(len(now)), key=lambda k, pixel=pixel: pixel.index(pixel[k]))]
    return np.array(out, np.int64).reshape(-1, 2).T


def stepped(layer, neuron, spikes, dt=1.0, n_taps=0, scale=None):
    """Spikes of every sample as sorted (tick, address), each patch by the float32 recursion of its dense weights.

    scale : float32[N_out], of which the weights are whole multiples to be summed up; None: they are as they are
    """
    weight = matrix(layer)
    weight = (weight if scale is None else np.rint(weight / scale)).astype(np.float32)
    constants, patches = neuron.constants(dt, n_taps), layer.patches
    samples = [by_pixel(spikes.sample(b), layer.given.positions) for b in range(spikes.n_samples)]
    out = [[] for _ in range(spikes.n_samples)]
    for tile, lanes in enumerate(layer.lane_neuron):
        lanes = lanes[lanes >= 0]
        gain = constants[1] * (np.ones(len(lanes)) if scale is None else scale[lanes]).astype(np.float32)
        for (tick, address), found in zip(samples, out, strict=True):
            seen = patches.row_of(tile % patches.n_patches, address) >= 0
            spiked, _ = srm32.tile(tick[seen], address[seen], weight[:, lanes], gain, spikes.n_ticks,
                                   neuron.dead_ticks(dt), constants, n_taps)
            found += [(t, int(lanes[i])) for t, i in spiked]
    return [sorted(found) for found in out]


@pytest.mark.parametrize("name", GEOMETRIES)
@pytest.mark.parametrize("rate", [0.1, 0.4])
def test_spikes_are_bit_for_bit_those_of_the_float32_recursion(rng, name, rate):
    network, spikes = scene(rng, GEOMETRIES[name], rate=rate)
    got = forward(network, spikes).output
    assert some_but_not_all(got)
    assert [pairs(got, b) for b in range(3)] == stepped(network.layers[0], network.neuron, spikes)


@pytest.mark.parametrize("name", NEURONS)
def test_spikes_of_every_neuron_are_those_of_the_float32_recursion(rng, name):
    neuron, dt, truncate = NEURONS[name]
    network, spikes = scene(rng, "9x7x3-20c3p1", neuron=neuron, dt=dt, repeats=True)
    got = forward(network, spikes, truncate=truncate).output
    assert some_but_not_all(got)
    n_taps = neuron.n_taps(dt) if truncate else 0
    assert [pairs(got, b) for b in range(3)] == stepped(network.layers[0], neuron, spikes, dt, n_taps)


def test_silences_are_jumped_over_patch_by_patch(rng):
    network, spikes = scene(rng, "16x16x1-4c3", n_ticks=300, rate=0.003)
    got = forward(network, spikes).output
    assert some_but_not_all(got)
    assert [pairs(got, b) for b in range(3)] == stepped(network.layers[0], network.neuron, spikes)


def sums_by_tick(wiring, item, lanes):
    """{tick: sum of the rows of a list} in some lanes."""
    runs, out = wiring.runs, {}
    for k in range(runs.run_base[item], runs.run_base[item] + runs.run_count[item]):
        own = wiring.address[runs.run_start[k] : runs.run_start[k + 1]]
        out[int(runs.run_tick[k])] = srm32.sum_rows(own, wiring.weight[0])[lanes]
    return out


@pytest.mark.parametrize("notation", [
    "8x8x2-16c3", "7x5x3-32c3p1", "4x5x2-64c3", "9x9x2-32c5s2p2", "9x8x3-48c3d2", "11x8x2-16c2s3", "9x8x2-2p-16c3",
    "9x8x3-bn-32c3p1", "6x5x6-2p-bn-64c1", "9x9x3-3p-16c2",
])
@pytest.mark.parametrize("rate", [0.1, 0.8])
def test_weights_that_are_summed_before_the_sweep_are_the_bits_of_their_rows(rng, monkeypatch, notation, rate):
    monkeypatch.setattr("eventsim.engine.pieces._CROWDED", 0)
    network, spikes = scene(rng, notation, rate=rate, repeats=True)
    layer = network.layers[0]
    given = feed(layer, spikes)
    summed, rows = (wire(layer, given, network.neuron, whole=whole) for whole in (True, False))
    assert summed.weight.shape == (1, len(summed.runs.run_tick), 64)
    assert rows.weight.shape[1] == layer.patches.n_rows
    n_runs = 0
    for item, lanes in enumerate(np.repeat(layer.lane_neuron, spikes.n_samples, axis=0)):
        got, want = (sums_by_tick(w, item, lanes >= 0) for w in (summed, rows))
        assert list(got) == list(want)  # or silences would be of other lengths
        for t, total in got.items():
            np.testing.assert_array_equal(total, want[t])
        n_runs += len(want)
    assert n_runs > 50


@pytest.mark.parametrize("precision", ["int8", "float16"])
@pytest.mark.parametrize("name", ["valid", "two tiles a position", "groups", "pool", "all at once"])
def test_spikes_of_fewer_bits_are_those_of_the_same_recursion(rng, name, precision):
    network, spikes = scene(rng, GEOMETRIES[name])
    layer = network.layers[0]
    largest = np.abs(layer.weight).max(axis=(0, 1, 2))  # of every output channel
    scale = (largest / np.float32(127)).astype(np.float32)
    if precision == "float16":
        layer.packed[:] = layer.packed.astype(np.float16)
        scale = None
    else:
        scale = np.repeat(scale, layer.shape.positions)
    got = forward(network.with_weights(precision), spikes).output
    assert some_but_not_all(got)
    assert [pairs(got, b) for b in range(3)] == stepped(layer, network.neuron, spikes, scale=scale)


@pytest.mark.parametrize("notation", ["12x11x2-8c3-2a-16c3-10", "9x8x2-6c3p1-12c3s2p1g2-3a", "6x6x3-30c2-20-5"])
@pytest.mark.parametrize("name", NEURONS)
def test_spikes_are_those_of_the_equations_but_for_rounding(rng, notation, name):
    neuron, dt, truncate = NEURONS[name]
    network, spikes = scene(rng, notation, neuron=neuron, dt=dt)
    trace = forward(network, spikes, truncate=truncate)
    assert all(some_but_not_all(layer.spikes) for layer in trace.layers)
    assert Walks(network, trace, truncate=truncate).excuses <= 3


def test_the_first_layer_of_an_event_camera(rng):
    network, spikes = scene(rng, "34x34x2-32c5", n_ticks=25, rate=0.02)
    trace = forward(network, spikes)
    assert some_but_not_all(trace.output)
    assert Walks(network, trace).excuses <= 3


@pytest.mark.parametrize("name", GEOMETRIES)
@pytest.mark.parametrize("truncate", [False, True])
def test_exact_sums_give_exact_spikes(rng, name, truncate):
    network = conv_network(GEOMETRIES[name], Dyadic(theta=4.0, t_abs=2.0 if truncate else None))
    layer, neuron = network.layers[0], network.neuron
    if layer.n_weights:
        unit = 2.0 ** np.round(np.log2(2 / np.sqrt(layer.fan_in)))
        layer.weight = rng.integers(-2, 13, layer.weight_shape) * unit
    else:
        layer.packed[layer.packed != 0] = 9.0
    spikes = random_spikes(rng, network.arch.n_inputs, 4, 10, 0.3, repeats=True, empty=(2,))
    got = forward(network, spikes, truncate=truncate).output
    assert some_but_not_all(got)
    eps, nu = neuron.kernels(10, truncate)
    for b in range(4):
        want, _, _ = srm.fire(srm.psp(dense(spikes, b), eps) @ matrix(layer), nu, 4.0, neuron.dead_ticks(1.0))
        np.testing.assert_array_equal(dense(got, b), want)


def test_published_convolutions(genn_conv):
    """The potential one tick after a pixel's spike is the convolution: every whole threshold says where it is."""
    pattern, wanted = genn_conv
    address = np.flatnonzero(pattern)
    spikes = Spikes([0, len(address)], address, tick=0 * address, n_neurons=64 * 64, n_ticks=2)
    for kernel, want in wanted:
        for sign in (1, -1):
            for level in (1, 2, 3, 4):
                network = conv_network("64x64x1-1c3", Dyadic(theta=float(level)))
                network.layers[0].weight = sign * 2 * kernel[None, :, :, None]  # which a tick halves
                got = maps(forward(network, spikes).output, network.layers[0].shape)
                assert not got[0].any()
                np.testing.assert_array_equal(got[1, 0], sign * want >= level)


def test_a_pool_sums_the_spikes_of_a_window():
    """A spike lifts a neuron over threshold when its psp peaks, two do sooner; the last column fills no window."""
    network = conv_network("5x4x2-2a", SRM(tau_syn=10.0))
    assert network.layers[0].weight.max() == np.float32(11.0)
    spikes = Spikes([0, 1, 3, 5], [0, 0, 6, 4, 20 + 13], tick=[0, 0, 0, 0, 0], n_neurons=40, n_ticks=20)
    got = forward(network, spikes).output
    eps = srm.alpha(10.0, 1.0, 20)
    for b, (neuron, n) in enumerate([(0, 1), (0, 2), (4 + 3, 1)]):
        first = np.argmax(11 * n * eps >= 10)
        assert pairs(got, b)[0] == (first, neuron)
        assert set(got.sample(b).address.tolist()) == {neuron}


@pytest.mark.parametrize("support", [0.3, 1.0, 1.5, 1000.0])
@pytest.mark.parametrize("notation", ["9x8x2-16c3-2a-5c2", "7x7x1-100c3s2-6c2"])
@pytest.mark.parametrize("t_abs", [None, 4.0])
def test_active_sets_hold_rho_wherever_it_counts(rng, support, notation, t_abs):
    network, spikes = scene(rng, notation, neuron=SRM(tau_syn=2.0, t_abs=t_abs, tau_rho=0.4, scale_rho=3.0))
    supports = [support] * len(network.layers)
    trace = forward(network, spikes, supports=supports)
    assert all(some_but_not_all(layer.spikes) for layer in trace.layers)
    assert Walks(network, trace, supports).excuses <= 3
    for layer in trace.layers:
        assert layer.active.n_pairs == len(layer.active.rho) > 0


def test_spikes_do_not_depend_on_what_is_kept(rng):
    network, spikes = scene(rng, "16x16x1-4c3-2a", n_ticks=300, rate=0.003)
    want = forward(network, spikes)
    for support in (0.3, 0.999, 1.5, np.inf):
        got = forward(network, spikes, supports=[support] * 2)
        assert all(a.spikes == b.spikes for a, b in zip(got.layers, want.layers, strict=True))


def test_a_batch_without_samples_or_ticks_or_spikes_has_no_output():
    layer = conv_network("5x4x2-20c3").layers[0]
    layer.weight = np.ones(layer.weight_shape)
    for n_samples, n_ticks in ((0, 10), (2, 0), (2, 10)):
        spikes = Spikes(np.zeros(n_samples + 1, int), [], tick=[], n_neurons=40, n_ticks=n_ticks)
        for support in (None, 0.5, 2.0, np.inf):
            trace = forward_layer(layer, SRM(), spikes, support=support)
            trace.spikes.check()
            assert (trace.spikes.n_samples, len(trace.spikes), trace.spikes.n_neurons) == (n_samples, 0, 120)
            if support == 2.0:
                assert trace.active.n_pairs == n_samples * n_ticks * 120


@pytest.mark.parametrize("n_threads", [1, 2])
def test_output_buffers_grow_until_everything_fits(n_threads):
    # Without a refractory response and far above threshold every neuron spikes in every tick.
    network = conv_network("6x5x1-20c2", SRM(scale_ref=0.0, tau_syn=50.0))
    layer = network.layers[0]
    layer.weight = np.full(layer.weight_shape, 1000.0)
    tick, address = np.divmod(np.arange(30 * 7), 30)
    spikes = Spikes.concatenate([Spikes([0, 210], address, tick=tick, n_neurons=30, n_ticks=7)] * 9)
    kernels.set_threads(n_threads)
    try:
        trace = forward(network, spikes, supports=[1e9])
    finally:
        kernels.set_threads(None)
    trace.output.check()
    assert pairs(trace.output, 8) == [(t, i) for t in range(1, 7) for i in range(layer.n_out)]
    assert trace.layers[0].active.n_pairs == 9 * 7 * layer.n_out


@pytest.mark.parametrize("name", GEOMETRIES)
def test_synops_are_the_synapses_that_there_are(rng, name):
    network, spikes = scene(rng, GEOMETRIES[name], n_ticks=10)
    layer = network.layers[0]
    layer.packed[:] = 1.0
    fan_out = np.sum(matrix(layer) != 0, axis=1)
    trace = forward(network, spikes)
    assert trace.synops == fan_out[spikes.address].sum()
    assert trace.dense_macs == 3 * 10 * fan_out.sum()
    assert layer.n_weights == (0 if layer.kind == "pool" else np.prod(layer.weight_shape))

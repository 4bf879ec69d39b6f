"""Spike lists in continuous time on a device, and windows of them: those of the CPU."""

import numpy as np
import pytest
from exact_gradient_scenes import random_times
from lif_scenes import NEURONS as LEAKY
from naive.lists import group_by_address
from scenes import random_spikes
from spatial_scenes import GEOMETRIES, spatial_network

from eventsim.engine import exact_wiring, forward, lif_windows, windows
from eventsim.engine.adjoint import block_samples
from eventsim.engine.gpu import timed
from eventsim.engine.gpu.devices import on_device
from eventsim.engine.gpu.rows import rows_by_address, timed_rows
from eventsim.engine.gpu.spikes import by_ticks, uploaded, with_end
from eventsim.engine.gpu.walk import Walk
from eventsim.engine.runs import by_address, ticks
from eventsim.model import SRM
from eventsim.spikes import Spikes


@pytest.mark.parametrize("keys", [
    np.array([0.5, 0.25, 0.5, 0.0, 1e-300, 0.25]), np.tile([3, 1, 2], 40).astype(np.int32), np.arange(70)[::-1].copy(),
    np.random.default_rng(0).integers(0, 50, 20_000), np.empty(0),
], ids=["times", "samples", "descending", "many", "none"])
def test_an_order_leaves_what_is_equal_as_it_is(one_device, keys):
    got = one_device.order(one_device.put(keys))
    assert got.dtype == np.int64
    np.testing.assert_array_equal(got.get(), np.argsort(keys, kind="stable"))


def test_spikes_of_neurons_are_merged_by_sample_time_and_address(one_device, rng):
    """Three spikes at most for each of 5 neurons in 4 samples, many of them at the same times."""
    times = [np.sort(rng.choice(np.arange(6) / 2, rng.integers(0, 4), replace=False)) for _ in range(20)]
    room = np.zeros((20, 3))
    for own, row in zip(times, room, strict=True):
        row[: len(own)] = own
    like = Spikes(np.zeros(5, int), [], time=[], n_neurons=9, n_ticks=4)
    found = {"room": 3, "spike_ptr": one_device.empty(0, np.int64), "spike_time": one_device.put(room.ravel())}
    list_ptr = one_device.starts(one_device.put(np.array([len(own) for own in times])))
    got = timed.merged(one_device, found, list_ptr, like, 5)
    got.check()
    wanted = [(t, j) for b in range(4) for t, j in sorted((t, j) for j in range(5) for t in times[5 * b + j])]
    assert list(zip(got.time, got.address, strict=True)) == wanted
    packed = {"room": 0, "spike_ptr": list_ptr, "spike_time": one_device.put(np.concatenate(times))}
    assert timed.merged(one_device, packed, list_ptr, like, 5) == got


@pytest.mark.parametrize("name", GEOMETRIES)
def test_lists_of_patches_are_those_of_the_cpu(one_device, rng, name):
    layer = spatial_network(rng, GEOMETRIES[name]).layers[0]
    if layer.patches is None:
        pytest.skip("the first layer is dense")
    spikes = random_times(rng, layer.n_in, 60, 20, n_samples=3, empty=(1,))
    want = exact_wiring.cut_lists(layer, spikes.sample_ptr, spikes.address, spikes.time)
    got, pixels = timed.cut_lists(layer.patches, uploaded(one_device, spikes))
    for ours, theirs in zip((got.sample_ptr, got.address, got.time), want, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert pixels.sum() == len(spikes)


@pytest.mark.parametrize("n_samples, n_spikes", [(3, 0), (0, 0), (4, 600)], ids=["no spikes", "no samples", "bursts"])
def test_lists_of_patches_of_nothing_and_of_bursts_are_those_of_the_cpu(device, rng, n_samples, n_spikes):
    """Bursts are of spikes that stand at two times only, with repeats, in samples of which the first has none."""
    layer = spatial_network(rng, "6x5x2-12c3-9").layers[0]
    starts = np.linspace(0, n_spikes, n_samples).astype(int)
    time = np.concatenate([np.sort(rng.integers(1, 3, n) / 2) for n in np.diff(starts)] or [np.empty(0)])
    spikes = Spikes(np.append(0, starts), rng.integers(0, layer.n_in, n_spikes), time=time, n_neurons=layer.n_in,
                    n_ticks=3, check=False)
    want = exact_wiring.cut_lists(layer, spikes.sample_ptr, spikes.address, spikes.time)
    got, pixels = timed.cut_lists(layer.patches, uploaded(device, spikes))
    assert len(want.sample_ptr) == n_samples * layer.patches.n_patches + 1 and len(got) >= n_spikes
    for ours, theirs in zip((got.sample_ptr, got.address, got.time), want, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert pixels.sum() == n_spikes


@pytest.mark.parametrize("dt", [0.0, 0.3])
@pytest.mark.parametrize("neuron", [SRM(tau_syn=3.0), LEAKY["current"], LEAKY["as fast"], LEAKY["subtract"]],
                         ids=["srm", "current", "as fast", "at once"])
def test_windows_are_those_of_the_cpu(one_device, rng, neuron, dt):
    spikes = random_times(rng, 12, 150, 70, 0.3, n_samples=3, empty=(1,))
    constants, end = neuron.exact_constants(0.3), 21.0
    got = timed.window_arguments(uploaded(one_device, spikes), neuron, constants, end, dt, True)
    if neuron.family == "srm":
        want = windows.cut(spikes.sample_ptr, spikes.time, spikes.address, 0.0, end, neuron, constants, dt)
        names, steps = ("window", "window_event"), ()
    else:
        want = lif_windows.cut(spikes.sample_ptr, spikes.time, 0.0, end, constants, dt)
        names, steps = ("window", "window_step"), ("step", "step_event")
    count = want.window_count
    np.testing.assert_array_equal(got["window_count"].get(), count)
    assert count.min() >= 1 and count.sum() > 40

    def compare(name, first, last):
        ours, theirs = got[name].get()[first:last], getattr(want, name)[first:last]
        np.testing.assert_allclose(ours, theirs, rtol=0 if one_device.name == "host" else 1e-12, err_msg=name)

    for base, n in zip(want.window_base, count, strict=True):
        for name in names:
            compare(name, base, base + n + (name != "window"))
        for name in steps:
            compare(name, base, want.window_step[base + n] + (name == "step_event"))
    inner = np.ones(len(spikes), bool)
    if steps:  # what arrives at a window's begin is taken in there
        first = np.concatenate([want.window_step[base : base + n] for base, n in
                                zip(want.window_base, count, strict=True)])
        for a, b in zip(want.step_event[first], want.step_event[first + 1], strict=True):
            inner[a:b] = False
    for name in ("coefficient", "upper"):
        ours, theirs = got[name].get()[inner], getattr(want, name)[inner]
        np.testing.assert_allclose(ours, theirs, rtol=0 if one_device.name == "host" else 1e-6)


@pytest.mark.parametrize("neuron", [SRM(tau_syn=3.0), LEAKY["current"], LEAKY["hard"]])
def test_spikes_by_address_are_those_of_the_cpu(one_device, rng, monkeypatch, neuron):
    """In blocks of two samples; with their times, and by their ticks."""
    monkeypatch.setattr("eventsim.engine.adjoint._BLOCK_ROWS", 140)
    layer = on_device(spatial_network(rng, "12-5", neuron, 70, 0.3), one_device).layers[0]
    timed_spikes = random_times(rng, 12, 60, 70, 0.3, n_samples=5, empty=(1,))
    samples = block_samples(timed_spikes)
    assert samples == 2
    walk = Walk(sums=np.array([0, 2, 4, 5]), held=np.array([0, 5]))
    for spikes in (timed_spikes, random_spikes(rng, 12, 5, 70, 0.3, empty=(1,))):
        ptr, row, share = by_address([spikes], samples, [neuron])[0]
        given = uploaded(one_device, spikes)
        if spikes.time is None:
            own_ptr, own_row = rows_by_address(layer, given, spikes.n_samples, walk)
        else:
            own_ptr, own_row, own_share = timed_rows(layer, neuron, given, spikes.n_samples, walk)
            np.testing.assert_allclose(own_share.get(), share, rtol=0 if one_device.name == "host" else 1e-6)
        assert walk.pieces == len(ptr) == 3
        np.testing.assert_array_equal(own_ptr.get(), np.append(ptr[:, :-1], ptr[-1, -1]))
        first = np.repeat(np.arange(walk.pieces), ptr[:, -1] - ptr[:, 0]) * samples * 70
        np.testing.assert_array_equal(own_row.get(), row + first)


def test_few_rows_of_weights_have_long_lists_in_the_order_of_samples_and_patches(one_device, rng):
    """Those of a convolution whose samples are held two at a time, which cuts a group of three."""
    network, n_ticks = on_device(spatial_network(rng, "14x13x1-64c3"), one_device), 40
    spikes = random_spikes(rng, 14 * 13, 6, n_ticks, 0.2, repeats=True, empty=(2,))
    done, layer = forward(network, spikes, supports=[0.5]).layers[0], network.layers[0]
    lists, patches = done.wiring.lists, layer.patches
    walk = Walk(sums=np.array([0, 3, 6]), held=np.array([0, 2, 4, 6]))
    ptr, row = (array.get() for array in rows_by_address(layer, lists, 6, walk))
    pieces = [(0, 2, 0), (2, 3, 2), (3, 4, 2), (4, 6, 4)]  # samples first..last-1, held from the third on
    wanted = []
    for first, last, held in pieces:
        seen = [[(int(t), int(a)) for t, a in zip(lists.tick[own], lists.address[own], strict=True)]
                for sample in range(first, last) for patch in range(patches.n_patches)
                for own in [slice(*lists.sample_ptr[patch * 6 + sample :][:2])]]
        rows = group_by_address(seen, n_ticks)
        for address in range(patches.n_rows):
            own = np.array(rows.get(address, []), int)
            sample, patch = np.divmod(own // n_ticks, patches.n_patches)
            wanted.append((patch * 2 + first - held + sample) * n_ticks + own % n_ticks)
    np.testing.assert_array_equal(ptr, np.cumsum([0, *map(len, wanted)]))
    np.testing.assert_array_equal(row, np.concatenate(wanted))
    assert min(map(len, wanted)) == 0 and max(map(len, wanted)) > 1000


def test_ticks_that_times_fall_in(one_device, rng):
    spikes = random_times(rng, 12, 60, 70, 0.3)
    ours = uploaded(one_device, spikes)
    np.testing.assert_array_equal(by_ticks(ours).tick, ticks(spikes))
    longer = with_end(ours)
    assert (longer.n_ticks, ours.n_ticks, ours.is_timed, by_ticks(ours).is_timed) == (71, 70, True, False)
    np.testing.assert_array_equal(longer.time, spikes.time)

"""Spikes of a tick that share an address or a pixel, on a device: against Python's dictionaries."""

import numpy as np
import pytest

from eventsim.engine.gpu.groups import by_key, grouped
from eventsim.engine.gpu.spikes import DeviceSpikes, uploaded
from eventsim.engine.gpu.stages import channel_sums
from eventsim.model.shape import Shape
from eventsim.spikes import Spikes

SHAPE = Shape(3, 4, 5)


def scene(rng, device, sizes):
    """Spikes of samples and ticks as many as ``sizes`` says, int[B, T]: in any order, with repeats."""
    n_samples, n_ticks = sizes.shape
    ptr = np.concatenate([[0], np.cumsum(sizes.sum(axis=1))])
    tick = np.concatenate([np.repeat(np.arange(n_ticks, dtype=np.int32), row) for row in sizes])
    address = rng.integers(0, SHAPE.size, len(tick)).astype(np.int32)
    like = Spikes([0] * (n_samples + 1), [], tick=[], n_neurons=SHAPE.size, n_ticks=n_ticks)
    return address, DeviceSpikes.of(device, ptr, device.put(address), device.put(tick), like, SHAPE.size)


SIZES = [[[0, 3, 1, 40], [0, 0, 0, 0], [5, 0, 2000, 7]], [[1]], [[0, 0]]]


@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("n_keys", [SHAPE.positions, SHAPE.size, 1])
def test_groups_stand_in_the_order_of_their_first_spikes(device, rng, sizes, n_keys):
    address, spikes = scene(rng, device, np.array(sizes))
    want, counts = [], []
    for row in np.split(address, np.cumsum(np.ravel(sizes))[:-1]):
        groups = {}
        for one in row.tolist():
            groups.setdefault(one % n_keys, []).append(one)
        want += [one for group in groups.values() for one in group]
        counts += [len(group) for group in groups.values()]
    assert by_key(spikes, n_keys).get().tolist() == want
    count = grouped(spikes, n_keys).count.get()
    assert count[count > 0].tolist() == counts


@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_sums_of_squares_by_channel(device, rng, sizes):
    address, spikes = scene(rng, device, np.array(sizes))
    counts = np.array([np.bincount(row, minlength=SHAPE.size)
                       for row in np.split(address, np.cumsum(np.ravel(sizes))[:-1])])
    by_channel = counts.reshape(*np.shape(sizes), SHAPE.channels, -1)
    want = np.stack([(by_channel**k).sum(axis=(1, 3)) for k in (1, 2)], axis=1)
    np.testing.assert_array_equal(channel_sums(spikes, SHAPE), want)


def test_no_spikes_have_no_groups(device):
    spikes = uploaded(device, Spikes([0, 0], [], tick=[], n_neurons=SHAPE.size, n_ticks=3))
    assert by_key(spikes, 5).size == 0 and not channel_sums(spikes, SHAPE).any()

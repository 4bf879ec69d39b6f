"""The backward pass of a dense layer on a device: `dense_adjoint`, and the errors that it starts from."""

import numpy as np

from eventsim.engine.adjoint import GROUPS, block_samples
from eventsim.engine.gpu.active import DeviceActiveSet
from eventsim.engine.gpu.forward import input_arguments, neuron_arguments
from eventsim.engine.runs import even_parts
from eventsim.kernels.layout import DRIVE_ROWS, TILE


def gather_error(active: DeviceActiveSet, error):
    """The output error at the pairs of the output layer's active set; ``error(b)`` is float32[N, T] of the host."""
    device, n_samples = active.device, active.n_samples
    n_neurons = int(active.lane_neuron.max()) + 1
    dense = np.zeros((n_samples, n_neurons, active.n_ticks), np.float32)
    for b in range(n_samples):
        dense[b] = error(b)
    out = device.empty(active.n_pairs, np.float32)
    device.launch(
        "gather_error", n_blocks=active.n_blocks, n_samples=n_samples, n_neurons=n_neurons, n_ticks=active.n_ticks,
        lane_neuron=device.put(active.lane_neuron), dense=device.put(dense), error=out, **active.arguments(),
    )
    return out.reshape(1, -1)


def add_pressure(active: DeviceActiveSet, error, pressure):
    """Add a number for each sample, float32[B] of the host, to the error float32[G, P] of the device, in place."""
    active.device.launch(
        "add_pressure", n_blocks=active.n_blocks, n_samples=active.n_samples, n_ticks=active.n_ticks,
        pair_start=active.pair_start, pressure=active.device.put(np.asarray(pressure, np.float32)), error=error,
    )


def _rows_by_address(device, given):
    """(neuron_ptr, row, blocks): the spikes of every neuron in blocks of samples, see `group_by_address`."""
    block = block_samples(given)
    blocks = -(-given.n_samples // block)
    shared = {
        "n_spikes": len(given), "n_samples": given.n_samples, "n_neurons": given.n_neurons, "block_samples": block,
        "sample_ptr": device.put(given.sample_ptr), "address": given.on_device[0],
    }
    count = device.zeros(blocks * given.n_neurons, np.int32)
    device.launch("count_by_address", count=count, **shared)
    size = device.empty(count.size, np.int64)
    device.launch("widen", n=count.size, count=count, size=size)
    neuron_ptr, row = device.starts(size), device.empty(len(given), np.int32)
    device.launch("group_by_address", n_ticks=given.n_ticks, tick=given.on_device[1], neuron_ptr=neuron_ptr,
                  count=count, row=row, **shared)
    device.launch("sort_rows", n_lists=count.size, neuron_ptr=neuron_ptr, row=row)
    return neuron_ptr, row, blocks


def _send_down(layer, given, below: DeviceActiveSet, g):
    """The error of the layer below at its active pairs, float32[G, P], to be summed over G."""
    device, tiles = layer.device, len(layer.packed)
    groups = even_parts(np.ones(tiles), min(GROUPS, tiles))
    out = device.zeros((len(groups), below.n_pairs), np.float32)
    n_entries = TILE * below.n_blocks if below.full else len(below.entry_lane)
    device.launch(
        "send_error", n_work=len(groups) * n_entries, n_samples=given.n_samples, n_ticks=given.n_ticks, n_in=layer.n_in,
        n_entries=n_entries, n_pairs=below.n_pairs, below_kind=below.kind, below_lanes=below.lanes,
        below_pair_start=below.pair_start, below_lane=below.entry_lane, below_ticks=below.entry_ticks,
        below_block=below.entry_block, below_pair=below.entry_pair, near_row=device.put(below.lane_neuron),
        group_first=device.put(np.array([first for first, _ in groups] + [tiles])), weight=layer.packed, g=g,
        error_below=out,
    )
    return out


def dense_backward(layer, neuron, done, error, below, sink):
    """Pass the gradient of a layer's weights to a `Sink`; returns the error of the layer below, or None.

    done : its `LayerTrace`; error : float32[G, P] of the device, at its active pairs, to be summed over G
    below : the `DeviceActiveSet` of the layer below, None where there is none
    """
    device, given, active = layer.device, done.feed.spikes, done.active
    n_groups, n_pairs = error.shape
    n_items, n_in = len(layer.packed) * given.n_samples, layer.n_in
    g = device.empty((n_items, given.n_ticks, TILE), np.float32)
    own = neuron_arguments(device, layer, neuron, given)
    if active.full:
        drive = device.zeros((len(layer.packed), DRIVE_ROWS, TILE), np.float32)
        device.launch("recompute_rho", n_batch=given.n_samples, rho_width=neuron.rho_width, rho_peak=neuron.rho_peak,
                      drive=drive, g=g, **input_arguments(layer, given), **own)
    device.launch(
        "adjoint_psp", n_items=n_items, n_samples=given.n_samples, n_ticks=given.n_ticks, n_groups=n_groups,
        n_pairs=n_pairs, dt=given.dt, constants=own["constants"], rho=active.rho, error=error, g=g,
        **active.arguments(),
    )
    error_below = None if below is None else _send_down(layer, given, below, g)
    neuron_ptr, row, blocks = _rows_by_address(device, given)
    kept = {name: _or_nothing(device, getattr(sink, name)) for name in ("gradient", "mean", "square")}
    device.launch(
        "update_weights", n_rows=len(layer.packed) * n_in, n_in=n_in, n_blocks=blocks,
        sample_ticks=given.n_samples * given.n_ticks, rule=sink.rule, settings=device.put(sink.settings),
        neuron_ptr=neuron_ptr, row=row, g=g, weight=layer.packed, **kept,
    )
    return error_below


def _or_nothing(device, array):
    """An array of the device; what a sink does not have is an empty array of the host."""
    return array if isinstance(array, device.array_type) else device.empty((0, 0, TILE), np.float32)


def parameter_step(device, kernel, settings, arrays):
    """A step of an optimiser on a parameter by itself: ``kernel`` on its arrays of the device, by name."""
    rows = {name: array.reshape(-1, TILE) for name, array in arrays.items()}
    device.launch(kernel, n=rows["weight"].size, settings=device.put(settings), **rows)

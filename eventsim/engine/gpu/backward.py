"""The backward pass of dense layers and convolutions on a device, and the errors that it starts from."""

import numpy as np

from eventsim.engine.adjoint import GROUPS, Adjoint, block_samples, summed, tick_integral
from eventsim.engine.feed import lane_addresses
from eventsim.engine.gpu.active import DeviceActiveSet
from eventsim.engine.gpu.neurons import neuron_arguments
from eventsim.engine.runs import even_parts
from eventsim.engine.sink import Sink
from eventsim.errors import ConfigError
from eventsim.kernels.layout import TILE


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


def _places(layer, spikes, n_samples):
    """(place, block, blocks): the order in which the lists of a layer's wiring are summed up, and in which blocks.

    The first two are int32, by list. A list for every sample of the batch stands where it is, in blocks as the CPU has
    them; the lists ``patch * B + sample`` of a convolution go sample by sample, in as many groups as the CPU has.
    """
    _check_size(layer, spikes)
    if layer.patches is None:
        place = np.arange(n_samples)
        block = place // block_samples(spikes)
    else:
        patch, sample = np.divmod(np.arange(spikes.n_samples), max(n_samples, 1))
        place = sample * layer.patches.n_patches + patch
        block = np.searchsorted([last for _, last in _groups(n_samples)], sample, side="right")
    return place.astype(np.int32), block.astype(np.int32), int(block.max(initial=0)) + 1


def _check_size(layer, spikes):
    if spikes.n_samples * spikes.n_ticks > np.iinfo(np.int32).max:
        raise ConfigError(f"{layer} has too many patches, samples and ticks for one step on a GPU, "
                          f"{spikes.n_samples * spikes.n_ticks} together; use smaller batches")


def _groups(n):
    return even_parts(np.ones(n), min(GROUPS, n))


def _starts(device, groups):
    """int64[groups + 1] of the device, where groups begin and the last one ends."""
    return device.put(np.array([first for first, _ in groups] + [groups[-1][1]]))


def _rows_by_address(layer, given, n_samples):
    """(neuron_ptr, row, blocks): the spikes of every row of weights, see `group_by_address` and `_places`."""
    device = given.device
    place, block, blocks = _places(layer, given, n_samples)
    shared, count, neuron_ptr = _counted(given, block, blocks)
    row = device.empty(len(given), np.int32)
    device.launch("group_by_address", n_ticks=given.n_ticks, place_of=device.put(place), tick=given.on_device[1],
                  neuron_ptr=neuron_ptr, count=count, row=row, **shared)
    device.launch("sort_rows", n_lists=count.size, n_ticks=given.n_ticks,
                  at=device.put(np.argsort(place).astype(np.int32)), neuron_ptr=neuron_ptr, row=row)
    return neuron_ptr, row, blocks


def _counted(given, block, blocks):
    """What kernels take of spikes by block and address, and of those int32 numbers and where they begin."""
    device = given.device
    shared = {
        "n_spikes": len(given), "n_samples": given.n_samples, "n_neurons": given.n_neurons, "sample_ptr": given.ptr,
        "block_of": device.put(block), "address": given.on_device[0],
    }
    count = device.zeros(blocks * given.n_neurons, np.int32)
    device.launch("count_by_address", count=count, **shared)
    size = device.empty(count.size, np.int64)
    device.launch("widen", n=count.size, count=count, size=size)
    return shared, count, device.starts(size)


def _timed_rows(layer, neuron, given, n_samples):
    """(neuron_ptr, row, share, blocks): those of spikes with times, see `group_times_by_address`.

    What lies in one tick has an order, since it counts different shares, so it is sorted whole.
    """
    device, (_, time) = given.device, given.on_device
    place, block, blocks = _places(layer, given, n_samples)
    shared, _, neuron_ptr = _counted(given, block, blocks)
    key, row = (device.empty(len(given), kind) for kind in (np.int64, np.int32))
    share = device.empty((len(given), 2), np.float32)
    device.launch("key_rows", n_places=len(place), place_of=device.put(place), key=key, **shared)
    device.launch("group_times_by_address", n_spikes=len(given), n_samples=given.n_samples, n_ticks=given.n_ticks,
                  dt=given.dt, shares=device.put(neuron.shares(given.dt)), sample_ptr=given.ptr, time=time,
                  order=device.order(key), row=row, share=share)
    return neuron_ptr, row, share, blocks


def _send_down(layer, wiring, below: DeviceActiveSet, g):
    """The error of the layer below at its active pairs, float32[G, P], to be summed over G."""
    device, tiles, n_in = layer.device, len(wiring.weight), wiring.weight.shape[1]
    n_entries = TILE * below.n_blocks if below.full else len(below.entry_lane)
    shared = {
        "n_entries": n_entries, "n_samples": below.n_samples, "n_ticks": below.n_ticks, "n_in": n_in,
        "below_kind": below.kind, "below_lanes": below.lanes, "below_pair_start": below.pair_start,
        "below_lane": below.entry_lane, "below_ticks": below.entry_ticks, "below_block": below.entry_block,
        "below_pair": below.entry_pair, "near_row": device.put(lane_addresses(layer, below.lane_neuron)),
        "weight": wiring.weight, "g": g,
    }
    patches = layer.patches
    if patches is None:
        groups = _groups(tiles)
        out = device.zeros((len(groups), below.n_pairs), np.float32)
        device.launch("send_error", n_work=len(groups) * n_entries, n_pairs=below.n_pairs,
                      group_first=_starts(device, groups), error_below=out, **shared)
        return out
    out = device.zeros((1, below.n_pairs), np.float32)
    ptr, patch, row = map(device.put, patches.reach)
    device.launch("send_patch_error", n_patches=patches.n_patches, channel_tiles=patches.channel_tiles,
                  n_pixels=layer.given.positions, rows_a_channel=patches.rows_in * patches.columns_in, reach_ptr=ptr,
                  reach_patch=patch, reach_row=row, error_below=out, **shared)
    return out


def _g(layer, neuron, wiring, active, error):
    """(g, ramp): float32[items, T, 64], dt dL/d(input) of every neuron and tick, and what inputs between ticks count
    besides, on the exact clock, else empty; see `adjoint_psp`.
    """
    device, n_samples, n_ticks = layer.device, active.n_samples, active.n_ticks
    n_groups, n_pairs = error.shape
    is_lif, is_timed, dt = neuron.family != "srm", wiring.lists.is_timed, wiring.lists.dt
    g = device.empty((wiring.n_items, n_ticks, TILE), np.float32)
    ramp = device.empty(g.shape if is_timed else (0, 0, TILE), np.float32)
    if is_timed:
        own = {"constants": device.put(neuron.adjoint_constants(dt))}
    else:
        own = neuron_arguments(device, wiring, neuron)
    if active.full:
        moving = {"moving": wiring.moving} if is_lif else {}
        device.launch("replay_lif" if is_lif else "recompute_rho", n_batch=n_samples, rho_width=neuron.rho_width,
                      rho_peak=neuron.rho_peak, drive=wiring.any_drive(), g=g, **wiring.arguments(), **own, **moving)
    rest = {}
    if is_lif:
        rest["fired"] = device.empty((0, n_ticks), np.uint64) if wiring.fired is None else wiring.fired
    device.launch(
        "adjoint_lif" if is_lif else "adjoint_psp", n_items=wiring.n_items, n_samples=n_samples, n_ticks=n_ticks,
        n_groups=n_groups, n_pairs=n_pairs, dt=dt, constants=own["constants"], rho=active.rho, error=error,
        is_timed=is_timed, g=g, ramp=ramp, **active.arguments(), **rest,
    )
    return g, ramp


def adjoint(layer, neuron, done, error, below, sink=None) -> Adjoint:
    """The adjoint of a `Dense` layer or a convolution; see `eventsim.engine.adjoint.dense_adjoint`.

    Its error stays on the device, and so does the gradient of a dense layer's weights, but where batch normalisation
    wants it; rows is None then. That of a convolution's rows, and what is normalised, come to the host.
    """
    device, wiring, active = layer.device, done.wiring, done.active
    g, ramp = _g(layer, neuron, wiring, active, error)
    error_below = None if below is None else _send_down(layer, wiring, below, g)
    rows = g_sum = None
    if layer.patches is None and done.feed.is_plain:
        _update_weights(layer, neuron, wiring, active, g, ramp, sink)
    elif layer.n_weights or wiring.moving:
        rows = device.zeros(wiring.weight.shape, np.float32)
        _update_weights(layer, neuron, wiring, active, g, ramp, Sink(gradient=rows))
        if layer.patches is None and not wiring.moving:
            device.launch("add_scaled", n=rows.size, scale=done.feed.unit, rows=rows, gradient=sink.gradient)
            rows = None
        else:
            rows = rows.get()
    if wiring.moving:
        # A convolution's are summed up by groups of samples, those of a dense layer one sample after the other.
        groups = [(0, active.n_samples)] if layer.patches is None else _groups(active.n_samples)
        tiles = len(active.lane_neuron)
        sums = device.empty((len(groups), tiles, TILE), np.float32)
        is_timed, dt = wiring.lists.is_timed, wiring.lists.dt
        integral = tick_integral(neuron.shares(dt), dt) if is_timed else np.zeros(2, np.float32)
        device.launch("sum_over_time", n_sums=len(groups) * tiles, n_tiles=tiles, n_samples=active.n_samples,
                      n_ticks=active.n_ticks, is_timed=is_timed, group_first=_starts(device, groups),
                      integral=device.put(integral), g=g, ramp=ramp, g_sum=sums)
        g_sum = summed(sums.get())
    return Adjoint(rows, g_sum, error_below)


def _update_weights(layer, neuron, wiring, active, g, ramp, sink):
    """Hand the gradient of a wiring's rows of weights to a `Sink` of the device."""
    device, lists, weight = layer.device, wiring.lists, wiring.weight
    is_timed, share = lists.is_timed, device.empty((0, 2), np.float32)
    if is_timed:
        neuron_ptr, row, share, blocks = _timed_rows(layer, neuron, lists, active.n_samples)
    else:
        neuron_ptr, row, blocks = _rows_by_address(layer, lists, active.n_samples)
    kept = {name: _or_nothing(device, getattr(sink, name)) for name in ("gradient", "mean", "square")}
    device.launch(
        "update_weights", n_rows=len(weight) * weight.shape[1], n_in=weight.shape[1], n_blocks=blocks,
        sample_ticks=lists.n_samples * lists.n_ticks, rule=sink.rule, is_timed=is_timed,
        is_patched=layer.patches is not None,
        settings=device.put(sink.settings), neuron_ptr=neuron_ptr, row=row, share=share, g=g, ramp=ramp, weight=weight,
        **kept,
    )


def _or_nothing(device, array):
    """An array of the device; what a sink does not have is an empty array of the host."""
    return array if isinstance(array, device.array_type) else device.empty((0, 0, TILE), np.float32)


def parameter_step(device, kernel, settings, arrays):
    """A step of an optimiser on a parameter by itself: ``kernel`` on its arrays of the device, by name."""
    rows = {name: array.reshape(-1, TILE) for name, array in arrays.items()}
    device.launch(kernel, n=rows["weight"].size, settings=device.put(settings), **rows)

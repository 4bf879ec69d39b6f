"""What a layer's kernels in continuous time get on a device: windows of its input, or lists of its patches; and what
becomes of the spikes that they find.
"""

import numpy as np

from eventsim.engine import lif_windows, windows
from eventsim.engine.gpu.kept import place_of, reach_of
from eventsim.engine.gpu.spikes import DeviceSpikes
from eventsim.kernels.layout import EXACT_FAMILY, LIF_FAMILY, STEP_COLUMNS, WINDOW_COLUMNS


def kernel_of(layer, constants) -> str:
    """The kernel that runs a layer; the one that keeps active sets has ``_active`` behind it."""
    is_lif = constants[EXACT_FAMILY] == LIF_FAMILY
    if layer.patches is None:
        return "lif_exact_forward" if is_lif else "exact_forward"
    return "lif_patches_forward" if is_lif else "exact_patches_forward"


def window_arguments(lists, neuron, constants, end, dt, settles) -> dict:
    """What the kernel of a dense layer takes of its input: windows up to ``end`` ms; see `eventsim.engine.windows`."""
    device, (address, time) = lists.device, lists.on_device
    is_lif = constants[EXACT_FAMILY] == LIF_FAMILY
    if is_lif:
        how = lif_windows.settings(0.0, end, constants, dt)
        room = lif_windows.room_for(lists.sample_ptr, **how)
    else:
        how = windows.settings(0.0, end, neuron, constants, dt, settles)
        room = windows.room_for(lists.sample_ptr, **how)
    ends, on_device = np.cumsum(room), device.put(constants)
    n_samples, n_windows, n = lists.n_samples, int(ends[-1]) if len(ends) else 0, len(lists)
    cut = {"window_base": device.put(ends - room), "window_count": device.zeros(n_samples, np.int64)}
    shared = {"sample_ptr": lists.ptr, "time": time, **how, "n_samples": n_samples}
    weighed = {"coefficient": device.empty((n, 2), np.float64), "upper": device.empty(n, np.float32)}
    size = {"n_windows": n_windows, "n_samples": n_samples}
    if is_lif:
        cut |= {name: device.empty((n_windows, STEP_COLUMNS), np.float64) for name in ("window", "step")}
        cut |= {name: device.empty(n_windows, np.int64) for name in ("window_step", "step_event")}
        device.launch("cut_lif_windows", constants=on_device, **shared, **cut)
        device.launch("fill_lif_windows", constants=on_device, **size, **cut, **weighed)
    else:
        cut |= {"window": device.empty((n_windows, WINDOW_COLUMNS), np.float64),
                "window_event": device.empty(n_windows, np.int64)}
        device.launch("cut_windows", **shared, **cut)
        device.launch("fill_windows", time=time, constants=on_device, **size, **cut, **weighed)
    return {**cut, **weighed, "address": address, "constants": on_device, "n_samples": n_samples}


def patch_arguments(lists, neuron, constants, n_batch) -> dict:
    """What the kernel of a convolution takes of its lists, which it cuts into windows itself, but for their end."""
    if constants[EXACT_FAMILY] == LIF_FAMILY:
        lengths = dict(zip(("longest", "longest_step"), lif_windows.lengths(constants), strict=True))
    else:
        lengths = dict(zip(("longest", "longest_silence"), windows.lengths(neuron, constants), strict=True))
    address, time = lists.on_device
    return {**lengths, "address": address, "time": time, "sample_ptr": lists.ptr, "n_samples": lists.n_samples,
            "n_batch": n_batch, "constants": lists.device.put(constants)}


def cut_lists(patches, spikes):
    """The lists of all patches, with times, and spikes from every pixel; see `cut_lists` in `exact_wiring`.

    Pairs of a spike and a patch that sees it are made in the order of spikes, and sorted into that of lists.
    """
    device, n_pixels, (address, time) = spikes.device, len(patches.reach[0]) - 1, spikes.on_device
    pixels = device.zeros(n_pixels, np.int32)
    device.launch("count_pixels", n_spikes=len(spikes), n_pixels=n_pixels, address=address, count=pixels)
    reach_ptr, reach_patch, reach_row = reach_of(device, patches)
    shared = {"n_pixels": n_pixels, "address": address, "reach_ptr": reach_ptr}
    count = device.empty(len(spikes), np.int64)
    device.launch("count_pairs", n_spikes=len(spikes), count=count, **shared)
    pair_ptr, pixels = device.starts(count), pixels.get().astype(np.int64)
    n_pairs = int(pixels @ np.diff(patches.reach[0]))
    patch, spike = device.empty(n_pairs, np.int32), device.empty(n_pairs, np.int64)
    device.launch("list_pairs", n_spikes=len(spikes), reach_patch=reach_patch, pair_ptr=pair_ptr, patch=patch,
                  spike=spike, **shared)
    by_list = {"n_pairs": n_pairs, "spike": spike, "order": device.order(patch)}
    list_ptr = device.empty(patches.n_patches * spikes.n_samples + 1, np.int64)
    device.launch("find_lists", n_starts=list_ptr.size, n_samples=spikes.n_samples, sample_ptr=spikes.ptr, patch=patch,
                  list_ptr=list_ptr, **by_list)
    row, row_time = (device.empty(n_pairs, kind) for kind in (np.int32, np.float64))
    device.launch("cut_patch_times", rows_a_channel=patches.rows_in * patches.columns_in, time=time,
                  reach_row=reach_row, pair_ptr=pair_ptr, row=row, row_time=row_time, **by_list, **shared)
    return DeviceSpikes.of(device, list_ptr.get(), row, row_time, spikes, patches.n_rows), pixels


def merged(device, found, list_ptr, like, n_neurons) -> DeviceSpikes:
    """The spikes of all neurons by (sample, time, address).

    found : ``room``, ``spike_ptr`` and ``spike_time``, where the kernel of a layer put them, see `SpikeLists` there
    list_ptr : int64[B * n_neurons + 1] of the device, where those of every neuron begin when there is no room left
    """
    sample_ptr = list_ptr[::n_neurons].get()
    n, n_samples = int(sample_ptr[-1]), like.n_samples

    def columns():
        return {"time": device.empty(n, np.float64), "address": device.empty(n, np.int32)}

    listed, ordered, key = columns(), columns(), device.empty(n, np.int32)
    device.launch("list_times", n_lists=n_samples * n_neurons, n_neurons=n_neurons, list_ptr=list_ptr, **found,
                  **listed)
    # They stand by (sample, address), and are sorted by time, and by sample again: what is equal stays in order.
    order, on_device = device.order(listed["time"]), device.put(sample_ptr)
    device.launch("key_samples", n_spikes=n, n_samples=n_samples, sample_ptr=on_device, order=order, key=key)
    device.launch("merge_times", n_spikes=n, order=order, by_sample=device.order(key), item_time=listed["time"],
                  item_address=listed["address"], **ordered)
    return DeviceSpikes.of(device, sample_ptr, ordered["address"], ordered["time"], like, n_neurons)


def own_spikes(layer, spikes, shape):
    """uint64[items, T] of the device, the bits of a layer's spikes, see `eventsim.engine.exact_wiring.own_spikes`."""
    device, (address, time) = spikes.device, spikes.on_device
    fired = device.zeros(shape, np.uint64)
    device.launch("mark_own_spikes", n_spikes=len(spikes), n_samples=spikes.n_samples, n_ticks=spikes.n_ticks,
                  dt=spikes.dt, sample_ptr=spikes.ptr, address=address, time=time,
                  place=place_of(device, layer), fired=fired)
    return fired

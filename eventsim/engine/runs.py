"""Spike lists in the orders that kernels want: runs by tick for the sweep, rows by address for weight gradients."""

import itertools
from typing import NamedTuple

import numpy as np

from eventsim import kernels

# Spikes whose grouping takes about as long as it takes another thread to wake up.
_WORTH_A_THREAD = 1 << 16
# Parts of a layer's items a thread: more than one, so that a thread that was held up does not hold up the others; but
# of no less than this cost, in weight rows added, and none at all below that for which it is worth to wake up a thread.
_PARTS_A_THREAD = 4
_ITEMS_WORTH_A_PART, _ITEMS_WORTH_A_THREAD = 80_000, 20_000


class Runs(NamedTuple):
    """Runs of spikes that share a tick, see the kernel `group_by_tick`; the names are those of kernels' arguments."""

    run_base: np.ndarray
    run_count: np.ndarray
    run_tick: np.ndarray
    run_start: np.ndarray


def empty_runs(sample_ptr, n_ticks) -> Runs:
    """Room for the runs of samples with these spikes: one a tick or spike, whichever are fewer, and one more."""
    room = np.minimum(sample_ptr[1:] - sample_ptr[:-1], n_ticks) + 1
    ends = room.cumsum()
    total = int(ends[-1]) if len(ends) else 0
    return Runs(ends - room, np.zeros(len(room), np.int64), np.empty(total, np.int32), np.zeros(total, np.int64))


def sample_parts(sample_ptr) -> list[dict]:
    """Parts of about as many spikes each, by whole samples."""
    threads, worth = kernels.threads(), int(sample_ptr[-1]) // _WORTH_A_THREAD
    n_parts = min(threads, 1 + worth) if worth < threads else min(_PARTS_A_THREAD * threads, worth)
    if threads == 1:
        n_parts = 1
    bounds = even_parts(sample_ptr[1:] - sample_ptr[:-1], n_parts)
    return [{"sample_first": a, "sample_last": b} for a, b in bounds]


def even_parts(cost, n_parts, repeats=1):
    """Bounds (first, last) of up to ``n_parts`` runs of items that cost about the same.

    The items are those of ``cost``, ``repeats`` times over.
    """
    n = len(cost)
    if n == 0 or n_parts <= 1:
        return [(0, n * repeats)]
    ends = cost.cumsum()
    turn, rest = np.divmod(ends[-1] * repeats * np.arange(1, n_parts) / n_parts, max(1, ends[-1]))
    inner = turn.astype(np.int64) * n + np.searchsorted(ends, rest, side="right")
    bounds = sorted({0, *inner.tolist(), n * repeats})
    return list(itertools.pairwise(bounds))


def item_parts(cost, tiles):
    """Bounds of the parts that a layer's items are shared out in: every sample's ``cost``, in each of ``tiles``."""
    threads, total = kernels.threads(), tiles * int(cost.sum())
    if threads == 1 or total < _ITEMS_WORTH_A_THREAD:
        return [(0, tiles * len(cost))]
    n_parts = min(_PARTS_A_THREAD * threads, max(threads, total // _ITEMS_WORTH_A_PART))
    return even_parts(cost, n_parts, tiles)


def by_tick(spikes) -> Runs:
    """The runs of a spike list."""
    runs = empty_runs(spikes.sample_ptr, spikes.n_ticks)
    kernels.call_parts(
        "group_by_tick", {"sample_ptr": spikes.sample_ptr, "tick": spikes.tick, **runs._asdict()},
        sample_parts(spikes.sample_ptr),
    )
    return runs


def ticks(spikes):
    """The tick of every spike, on either clock, int32[K]."""
    if spikes.time is None:
        return spikes.tick
    return np.minimum(spikes.time / spikes.dt, max(spikes.n_ticks - 1, 0)).astype(np.int32)


def mark_fired(spikes, fired):
    """fired[j] = True for the neuron of every spike, bool[N]."""
    if hasattr(spikes, "on_device"):
        fired |= spikes.fired()
    else:
        kernels.call("mark_neurons", address=spikes.address, fired=fired)


class Rows(NamedTuple):
    """Spikes by address, see the kernels `group_by_address` and `group_times_by_address`."""

    neuron_ptr: np.ndarray
    row: np.ndarray
    share: np.ndarray


def by_address(lists, block_samples, neurons) -> list[Rows]:
    """The rows of each of some spike lists, for blocks of samples; neurons : those that each list reaches."""
    out, parts = [], []
    exact = lists[0].time is not None
    for spikes, neuron in zip(lists, neurons, strict=True):
        blocks, n = -(-spikes.n_samples // block_samples), len(spikes)
        rows = Rows(np.empty((blocks, spikes.n_neurons + 1), np.int64), np.empty(n, np.int32),
                    np.empty((n if exact else 0, 2), np.float32))
        out.append(rows)
        given = {
            "n_ticks": spikes.n_ticks, "sample_ptr": spikes.sample_ptr, "address": spikes.address,
            "neuron_end": (spikes.n_neurons,), "neuron_ptr": rows.neuron_ptr, "row": rows.row,
        }
        if exact:
            given |= {"time": spikes.time, "dt": spikes.dt, "shares": neuron.shares(spikes.dt), "share": rows.share}
        else:
            given["tick"] = spikes.tick
        parts += [{"block": block, **given} for block in range(blocks)]
    kernel = "group_times_by_address" if exact else "group_by_address"
    kernels.call_parts(kernel, {"block_samples": block_samples}, parts)
    return out

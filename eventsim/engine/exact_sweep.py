"""The sweep of a layer in continuous time: what its kernels fill, and the state of its neurons."""

import numpy as np

from eventsim import kernels
from eventsim.engine.active import starts
from eventsim.engine.growing import Buffers
from eventsim.engine.runs import sample_parts
from eventsim.kernels.layout import (
    EXACT_FAMILY,
    EXACT_KICK_B,
    EXACT_KICK_C,
    EXACT_LAM,
    EXACT_ROWS,
    EXACT_THETA,
    LIF_CURRENT,
    LIF_V,
    NEVER,
    SRM_FAMILY,
    STATE_PSP,
    STATE_SPIKE,
    TILE,
)
from eventsim.kernels.memory import aligned_zeros

# The lists that a part writes, see `Buffers`, and the room for each that there is at first.
_LISTS = {"spike_time": (np.float64, 2), "spike_address": (np.int32, 2)}
_FIRST_ROOM = 4096


class Part(Buffers):
    """A run of items, with output buffers that grow."""

    taken, singly = 3, 4  # entries of progress

    def __init__(self, first, last, room=0, n_progress=5):
        self.span = {"item_first": first, "item_last": last}
        super().__init__(_LISTS, dict.fromkeys(_LISTS, room + _FIRST_ROOM), [first] + [0] * (n_progress - 1))

    def arguments(self):
        return {**self.span, "progress": self.progress, **self.lists}


class PatchPart(Part):
    """A run of items of patches from the beginning to the end, which keeps the state of the present one."""

    def __init__(self, first, last, constants, room=0):
        super().__init__(first, last, room, n_progress=6)
        self._present = {"since": np.empty(1), **_states(1, constants)}

    def arguments(self):
        return {**super().arguments(), **self._present}


def _states(n_items, constants):
    """The arrays that have the state of some items."""
    state = {"state": aligned_zeros((n_items, EXACT_ROWS, TILE), np.float64)}
    if constants[EXACT_FAMILY] == SRM_FAMILY:
        state["response"] = aligned_zeros((n_items, 2, TILE), np.float32)
    return state


def at_rest(tiles, n_samples, constants):
    """Items to which nothing happened yet: their state, and the number of their spikes."""
    n_items = len(tiles.theta) * n_samples
    out = {**_states(n_items, constants), "item_spikes": np.zeros(n_items, np.int64)}
    state = out["state"]
    state[:, STATE_SPIKE] = NEVER
    start = np.where(np.isfinite(tiles.theta), tiles.theta - constants[EXACT_THETA], 0.0)
    if start.any():
        start = np.repeat(start, n_samples, axis=0)
        if constants[EXACT_FAMILY] == SRM_FAMILY:
            state[:, STATE_PSP], state[:, STATE_PSP + 1] = start, start * constants[EXACT_LAM]
        else:
            state[:, LIF_V] = start
            if constants[[EXACT_KICK_B, EXACT_KICK_C]].any():
                state[:, LIF_CURRENT] = start
    return out


def merged(parts, counts, n_samples, begin, end):
    """(sample_ptr, address, time) of the spikes of all items, ``counts`` of each, sorted by (sample, time, address)."""
    return by_sample(*joined(parts), counts, n_samples, begin, end)


def joined(parts):
    """Times and addresses of the spikes of all items, one behind the other."""
    return tuple(np.concatenate([part.used(name) for part in parts]) for name in _LISTS)


def by_sample(item_time, item_address, counts, n_samples, begin, end):
    """`merged` for spikes that are `joined`."""
    sample_ptr = starts(counts.reshape(len(counts) // max(1, n_samples), n_samples).sum(axis=0))
    n = int(sample_ptr[-1])
    when, address = np.empty(n), np.empty(n, np.int32)
    if n:
        kernels.call_parts("merge_times", {
            "n_samples": n_samples, "begin": begin, "end": end, "item_ptr": starts(counts), "item_time": item_time,
            "item_address": item_address,
            "sample_ptr": sample_ptr, "bucket_end": (int(np.diff(sample_ptr).max()) + 1,), "time": when,
            "address": address,
        }, sample_parts(sample_ptr))
    return sample_ptr, address, when

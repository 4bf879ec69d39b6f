"""The event queue on the exact clock: one event at a time, in continuous time.

The queue is a binary heap of neurons by the time of their next crossing, (time, neuron) in lexicographic order, with
every neuron's place in it: a new prediction moves the neuron, so nothing in the heap is ever stale.
"""

import math

import numpy as np

from eventsim.kernels.cpu.crossing import first_crossing
from eventsim.kernels.cpu.jit import kernel
from eventsim.kernels.layout import NEXT, TILE
from eventsim.kernels.status import Status

_OK, _GROW = np.int32(Status.OK), np.int32(Status.GROW)
# Rows of the state, float64[7, N]: psp and refractory response (see `crossing`), the time they stand for, the end of
# the dead time, and the predicted crossing.
A, B, C, D, SINCE, READY = range(NEXT)
# Constants, float64[6].
L, M, KICK, RECOIL, THETA, T_ABS = range(6)


@kernel
def _before(state, i, j):
    return state[NEXT, i] < state[NEXT, j] or (state[NEXT, i] == state[NEXT, j] and i < j)


@kernel
def _place(heap, place, slot, neuron):
    heap[slot] = neuron
    place[neuron] = slot


@kernel
def _restore(state, heap, place, neuron):
    """Move a neuron up or down to where its prediction belongs."""
    slot = place[neuron]
    while slot > 0:
        parent = heap[(slot - 1) // 2]
        if not _before(state, neuron, parent):
            break
        _place(heap, place, slot, parent)
        slot = (slot - 1) // 2
    while 2 * slot + 1 < len(heap):
        child = 2 * slot + 1
        if child + 1 < len(heap) and _before(state, heap[child + 1], heap[child]):
            child += 1
        if not _before(state, heap[child], neuron):
            break
        _place(heap, place, slot, heap[child])
        slot = child
    _place(heap, place, slot, neuron)


@kernel
def _advance(state, i, now, constants):
    """Bring a neuron's four numbers to the present."""
    s = now - state[SINCE, i]
    if s > 0.0:
        fall = math.exp(-constants[L] * s)
        state[A, i] = (state[A, i] + state[B, i] * s) * fall
        state[B, i] *= fall
        if state[D, i] != 0.0:
            fall = math.exp(-constants[M] * s)
            state[C, i] = (state[C, i] + state[D, i] * s) * fall
            state[D, i] *= fall
    state[SINCE, i] = now


@kernel
def _predict(state, i, now, constants, edges):
    """Time of a neuron's next crossing if nothing reaches it before, or infinity."""
    start = max(0.0, state[READY, i] - now)
    return now + first_crossing(
        start, state[A, i], state[B, i], state[C, i], state[D, i], constants[L], constants[M], constants[THETA], edges
    )


@kernel
def queue_layer(
    first, last, n_neurons, t_end, weight, address, time, constants, edges, state, heap, place, progress, spike_time,
    spike_address,
):
    """Run a dense layer over one sample's input spikes first..last-1, in the order of time, up to ``t_end`` ms.

    Between events a neuron's state rests; it is brought up to date by the spikes that reach it. progress int64[2] holds
    the next input spike and the number of output spikes. Status GROW: the output buffers are full; grow them and call
    again.
    """
    while True:
        neuron = heap[0]
        crossing = state[NEXT, neuron]
        k = progress[0]
        arrival = time[k] if k < last else np.inf
        if min(crossing, arrival) >= t_end:
            return _OK
        if crossing <= arrival:
            n = progress[1]
            if n == len(spike_time):
                return _GROW
            _advance(state, neuron, crossing, constants)
            state[D, neuron] += constants[RECOIL]
            state[READY, neuron] = crossing + constants[T_ABS]
            state[NEXT, neuron] = _predict(state, neuron, crossing, constants, edges)
            _restore(state, heap, place, neuron)
            spike_time[n] = crossing
            spike_address[n] = neuron
            progress[1] = n + 1
        else:
            source = address[k]
            for i in range(n_neurons):
                _advance(state, i, arrival, constants)
                state[B, i] += constants[KICK] * weight[i // TILE, source, i % TILE]
                following = _predict(state, i, arrival, constants, edges)
                if following != state[NEXT, i]:
                    state[NEXT, i] = following
                    _restore(state, heap, place, i)
            progress[0] = k + 1

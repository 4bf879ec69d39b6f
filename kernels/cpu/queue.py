"""The global event queue on the exact clock: all layers together, one event at a time, in continuous time.

What comes next is the earliest of three: the first of a heap of *crossings* that neurons are bound for, the first of a
heap of *flights*, spikes on their way over a delay, and the next input spike. Of equals a crossing comes first, since
what arrives at its very moment does not act yet (eps(0) = 0), and of crossings the lower neuron, those of lower layers
being lower. So the order is total, and every zero delay, a layer's own spikes included, is an arrival like any other.
(Of leaky integrate-and-fire neurons, which what arrives moves at once, crossings come last: what arrives at the same
time adds up, in whatever order. The same time is that but for rounding.)

Neurons of all layers are numbered in one row, as the lanes of their layers' tiles of 64; some lanes are none, and have
an infinite threshold. What a presynaptic neuron's spike reaches is a list of tiles, each with a row of weights. Between
events a neuron's state rests, and it has two ages: the psp is as old as what arrived last, the refractory response as
the last spike. So the neurons that a whole row of weights reaches are equally old, and decay by one exponential.

Most crossings are called off by the next arrival. So a neuron first stands in the heap with a time before which it
surely does not cross, which takes two exponentials; only when that has come, its crossing is solved for.
"""

import math

import numpy as np

from eventsim.kernels.cpu.crossing import ROUNDING, first_crossing, no_crossing_before, upper_bound
from eventsim.kernels.cpu.jit import kernel
from eventsim.kernels.cpu.lif_exact import (
    lif_add,
    lif_add_row,
    lif_next_crossing,
    lif_not_before,
    lif_spike,
    lif_waits,
)
from eventsim.kernels.layout import (
    EXACT_DEAD,
    EXACT_FAMILY,
    EXACT_KICK,
    EXACT_LAM,
    EXACT_MU,
    EXACT_RECOIL,
    FIRST_AXON,
    FIRST_ROW,
    FIRST_SOURCE,
    FIRST_SYNAPSE,
    FIRST_TILE,
    LIF_FAMILY,
    N_IN,
    N_OUT,
    SENDS,
    TILE,
)
from eventsim.kernels.status import Status

_OK, _GROW = np.int32(Status.OK), np.int32(Status.GROW)
# Rows of a tile's state: psp and refractory response (see `crossing`), and the times that they stand for, of which the
# latter is that of the last spike.
A, B, C, D, SINCE, LAST = range(6)
# Progress: the next input spike, how many output spikes, crossings and flights there are, and whether anything has
# happened yet.
INPUT, SPIKES, CROSSINGS, FLIGHTS, BEGUN = range(5)
# Columns of a flight: when it arrives, and when it set out.
ARRIVAL, DEPARTURE = range(2)
# Its axon, which is a presynaptic neuron of a projection; the projection; and how many of its targets it has reached.
AXON, PROJECTION, REACHED = range(3)


@kernel
def _place(heap, place, slot, neuron):
    heap[slot] = neuron
    place[neuron] = slot


@kernel
def _crosses_first(due, i, j):
    return due[i] < due[j] or (due[i] == due[j] and i < j)


@kernel
def _restore(neuron, crossings):
    """Move a neuron up or down the heap of crossings to where its next one belongs."""
    due, _, heap, place, progress = crossings
    slot, n = place[neuron], progress[CROSSINGS]
    while slot > 0:
        parent = heap[(slot - 1) // 2]
        if not _crosses_first(due, neuron, parent):
            break
        _place(heap, place, slot, parent)
        slot = (slot - 1) // 2
    while 2 * slot + 1 < n:
        child = 2 * slot + 1
        if child + 1 < n and _crosses_first(due, heap[child + 1], heap[child]):
            child += 1
        if not _crosses_first(due, heap[child], neuron):
            break
        _place(heap, place, slot, heap[child])
        slot = child
    _place(heap, place, slot, neuron)


@kernel
def _expect(neuron, when, is_sure, t_end, crossings):
    """Note when a neuron crosses next, or not before, in place of what was noted; past the end it never does."""
    due, sure, heap, place, progress = crossings
    slot = place[neuron]
    if when < t_end:
        due[neuron], sure[neuron] = when, is_sure
        if slot < 0:
            _place(heap, place, progress[CROSSINGS], neuron)
            progress[CROSSINGS] += 1
        _restore(neuron, crossings)
    elif slot >= 0:
        progress[CROSSINGS] -= 1
        moved = heap[progress[CROSSINGS]]
        place[neuron] = -1
        if moved != neuron:
            _place(heap, place, slot, moved)
            _restore(moved, crossings)


@kernel
def _lands_first(arrival, axon, other_arrival, other_axon):
    return arrival < other_arrival or (arrival == other_arrival and axon < other_axon)


@kernel
def _copy(slot, other, when, route):
    when[slot, ARRIVAL], when[slot, DEPARTURE] = when[other, ARRIVAL], when[other, DEPARTURE]
    for column in range(3):
        route[slot, column] = route[other, column]


@kernel
def _put(slot, arrival, departure, axon, projection, reached, when, route):
    when[slot, ARRIVAL], when[slot, DEPARTURE] = arrival, departure
    route[slot, AXON], route[slot, PROJECTION], route[slot, REACHED] = axon, projection, reached


@kernel
def _set_out(axon, projection, arrival, now, flights):
    """Add a flight."""
    when, route, progress = flights
    slot = progress[FLIGHTS]
    progress[FLIGHTS] += 1
    while slot > 0:
        parent = (slot - 1) // 2
        if not _lands_first(arrival, axon, when[parent, ARRIVAL], route[parent, AXON]):
            break
        _copy(slot, parent, when, route)
        slot = parent
    _put(slot, arrival, now, axon, projection, 0, when, route)


@kernel
def _go_on(following, reached, flights):
    """Send the first flight on to its next targets, or end it where there are none."""
    when, route, progress = flights
    when[0, ARRIVAL], route[0, REACHED] = following, reached
    if following == np.inf:
        progress[FLIGHTS] -= 1
        _copy(0, progress[FLIGHTS], when, route)
    arrival, departure = when[0, ARRIVAL], when[0, DEPARTURE]
    axon, projection, reached = route[0, AXON], route[0, PROJECTION], route[0, REACHED]
    slot, n = 0, progress[FLIGHTS]
    while 2 * slot + 1 < n:
        child = 2 * slot + 1
        if child + 1 < n and _lands_first(
            when[child + 1, ARRIVAL], route[child + 1, AXON], when[child, ARRIVAL], route[child, AXON]
        ):
            child += 1
        if not _lands_first(when[child, ARRIVAL], route[child, AXON], arrival, axon):
            break
        _copy(slot, child, when, route)
        slot = child
    _put(slot, arrival, departure, axon, projection, reached, when, route)


@kernel
def _send(source, now, t_end, first, last, projection, axon_of, delay, flights):
    """Let a neuron's spike set out over the projections first..last-1, but for what arrives past the end."""
    for p in range(first, last):
        axon = axon_of[projection[p, FIRST_SOURCE] + source]
        if axon >= 0 and now + delay[axon] < t_end:
            _set_out(axon, p, now + delay[axon], now, flights)


@kernel
def _present(state, lane, now, constants):
    """a, b, c, d of a neuron (see `crossing`) at present."""
    a, b, s = state[A, lane], state[B, lane], now - state[SINCE, lane]
    if s > 0.0:
        fall = math.exp(-constants[EXACT_LAM] * s)
        a, b = (a + b * s) * fall, b * fall
    c, d, s = state[C, lane], state[D, lane], now - state[LAST, lane]
    if d != 0.0 and s > 0.0:
        fall = math.exp(-constants[EXACT_MU] * s)
        c, d = (c + d * s) * fall, d * fall
    return a, b, c, d


@kernel
def _not_before(state, theta, lane, now, constants):
    """A time before which a neuron does not cross if nothing reaches it; infinity only where it never does."""
    if constants[EXACT_FAMILY] == LIF_FAMILY:
        return lif_not_before(state, theta[lane], lane, now, constants)
    a, b, c, d = _present(state, lane, now, constants)
    s = no_crossing_before(a, b, c, d, constants[EXACT_LAM], constants[EXACT_MU], theta[lane])
    return max(now + s, state[LAST, lane] + constants[EXACT_DEAD])


@kernel
def _next_crossing(state, theta, lane, now, constants, edges):
    """Time of a neuron's next crossing if nothing reaches it before, or infinity."""
    if constants[EXACT_FAMILY] == LIF_FAMILY:
        return lif_next_crossing(state, theta[lane], lane, now, constants, edges)
    a, b, c, d = _present(state, lane, now, constants)
    ready = state[LAST, lane] + constants[EXACT_DEAD]
    lam, mu = constants[EXACT_LAM], constants[EXACT_MU]
    s = first_crossing(max(0.0, ready - now), a, b, c, d, lam, mu, theta[lane], edges)
    return max(now + s, ready)


@kernel
def _recoil(state, theta, lane, now, constants):
    """What a spike leaves: the refractory response, or the reset."""
    if constants[EXACT_FAMILY] == LIF_FAMILY:
        lif_spike(state, lane, theta[lane], now, constants)
        return
    s = now - state[LAST, lane]
    fall = math.exp(-constants[EXACT_MU] * s)
    state[C, lane] = (state[C, lane] + state[D, lane] * s) * fall
    state[D, lane] = state[D, lane] * fall + constants[EXACT_RECOIL]
    state[LAST, lane] = now


@kernel
def _add(state, lane, weight, now, constants):
    """Bring a neuron's psp to the present and add a synapse."""
    if constants[EXACT_FAMILY] == LIF_FAMILY:
        lif_add(state, lane, weight, now, constants)
        return
    s = now - state[SINCE, lane]
    fall = math.exp(-constants[EXACT_LAM] * s)
    state[A, lane] = (state[A, lane] + state[B, lane] * s) * fall
    state[B, lane] = state[B, lane] * fall + constants[EXACT_KICK] * weight
    state[SINCE, lane] = now


@kernel
def _add_row(state, weight, now, constants, reach):
    """Bring the psp of a tile to the present and add a row of weights; ``reach`` gets bounds of it from now on."""
    if constants[EXACT_FAMILY] == LIF_FAMILY:
        lif_add_row(state, weight, now, constants, reach)
        return
    lam, kick, since = constants[EXACT_LAM], constants[EXACT_KICK], state[SINCE, 0]
    even = True
    for lane in range(TILE):
        even &= state[SINCE, lane] == since
    if even:
        s = now - since
        fall = math.exp(-lam * s)
        for lane in range(TILE):
            state[A, lane] = (state[A, lane] + state[B, lane] * s) * fall
            state[B, lane] = state[B, lane] * fall + kick * weight[lane]
            state[SINCE, lane] = now
    else:
        for lane in range(TILE):
            _add(state, lane, weight[lane], now, constants)
    for lane in range(TILE):
        reach[lane] = upper_bound(state[A, lane], state[B, lane], lam)


@kernel
def _deliver(axon, fans, weight, now, t_end, neurons, crossings):
    """A spike arrives at all neurons that it reaches at once."""
    state, theta, constants, reach = neurons
    first, tiles, rows = fans
    place = crossings[3]
    for k in range(first[axon], first[axon + 1]):
        tile = np.int64(tiles[k])
        own, limit, model = state[tile], theta[tile], constants[tile]
        _add_row(own, weight[rows[k]], now, model, reach)
        for lane in range(TILE):
            neuron = tile * TILE + lane
            if reach[lane] >= (1.0 - ROUNDING) * limit[lane] or place[neuron] >= 0:
                _expect(neuron, _not_before(own, limit, lane, now, model), False, t_end, crossings)


@kernel
def _deliver_next(source, row, weight, target, target_delay, now, t_end, neurons, crossings, flights):
    """A spike arrives at the targets of a row that have the delay on which it is now, and goes on to the next ones."""
    state, theta, constants, _ = neurons
    first = row[FIRST_SYNAPSE] + source * row[N_OUT]
    reached = flights[1][0, REACHED]
    delay = target_delay[first + reached]
    while reached < row[N_OUT] and target_delay[first + reached] == delay:
        i = target[first + reached]
        tile, lane = row[FIRST_TILE] + i // TILE, i % TILE
        own, limit, model = state[tile], theta[tile], constants[tile]
        _add(own, lane, weight[row[FIRST_ROW] + i // TILE * row[N_IN] + source, lane], now, model)
        _expect(tile * TILE + lane, _not_before(own, limit, lane, now, model), False, t_end, crossings)
        reached += 1
    following = np.inf
    if reached < row[N_OUT]:
        following = flights[0][0, DEPARTURE] + target_delay[first + reached]
    _go_on(following if following < t_end else np.inf, reached, flights)


@kernel
def _begin(t_end, neurons, crossings):
    """Expect those who cross without any input, by their constant one alone."""
    state, theta, constants, _ = neurons
    for neuron in range(theta.size):
        tile, lane = neuron // TILE, neuron % TILE
        if theta[tile, lane] <= 0.0:
            when = _not_before(state[tile], theta[tile], lane, 0.0, constants[tile])
            _expect(neuron, when, False, t_end, crossings)


@kernel
def queue_network(
    last, until, t_end, first_tile, sends, projection, axon_of, weight, fan_first, fan_tile, fan_row, delay, target,
    target_delay, theta, address, time, constants, edges, reach, state, due, sure, heap, place, progress, flight_time,
    flight_route, spike_time, spike_neuron,
):
    """Run a network over one sample, from where it is up to ``until`` ms; nothing at or after ``t_end`` ms matters.

    address int32, time float64 : input spikes in the order of time, up to number ``last`` - 1
    first_tile : int64[layers + 1], the tiles of layer k are first_tile[k]..first_tile[k + 1] - 1
    sends : int64[layers + 2], the input (k = 0) and then every layer sends over projections sends[k]..sends[k + 1] - 1
    projection : int64[projections, 7], see `layout`; weight float32[rows, 64] : their packed rows, one behind the other
    axon_of : int64, the presynaptic neuron that a spike of every input address, and of every lane of a layer, is for
        each projection, -1 for none
    fan_first int64[axons + 1], fan_tile int32, fan_row int64 : what the spike of a presynaptic neuron reaches
    delay : float64[axons], ms after which it first arrives
    target int32, target_delay float64 : where every target has its own delay, the targets of a row by delay
    theta float64[tiles, 64] : the threshold of every neuron; state float64[tiles, 6, 64] : what is known of it;
        constants float64[tiles, 11] : those of a tile's neurons
    due float64[neurons], sure bool[neurons], heap, place int64[neurons] : the heap of crossings, where due is the time
        of one only if it is sure, else a time before; who is not in the heap has the place -1
    progress : int64[5]; flight_time float64[flights, 2], flight_route int64[flights, 3] : the heap of flights

    Status GROW: there may be no room for the next spike or its flights; grow the buffers and call again.
    """
    neurons, crossings = (state, theta, constants, reach), (due, sure, heap, place, progress)
    fans, flights = (fan_first, fan_tile, fan_row), (flight_time, flight_route, progress)
    if progress[BEGUN] == 0:
        _begin(t_end, neurons, crossings)
        progress[BEGUN] = 1
    while True:
        crossing = due[heap[0]] if progress[CROSSINGS] > 0 else np.inf
        flight = flight_time[0, ARRIVAL] if progress[FLIGHTS] > 0 else np.inf
        k = progress[INPUT]
        given = time[k] if k < last else np.inf
        now = min(crossing, flight, given)
        if now >= until:
            return _OK
        if progress[SPIKES] == len(spike_time) or progress[FLIGHTS] + SENDS > len(flight_time):
            return _GROW
        arrives = min(flight, given) == now
        if crossing == now and not (arrives and constants[heap[0] // TILE, EXACT_FAMILY] == LIF_FAMILY):
            neuron = heap[0]
            tile, lane = neuron // TILE, neuron % TILE
            own, limit, model = state[tile], theta[tile], constants[tile]
            if not sure[neuron]:
                when = _next_crossing(own, limit, lane, now, model, edges)
                _expect(neuron, when, True, t_end, crossings)
                continue
            arrival = min(flight, given, until)
            if model[EXACT_FAMILY] == LIF_FAMILY and lif_waits(now, arrival, model):
                _expect(neuron, arrival, False, t_end, crossings)
                continue
            _recoil(own, limit, lane, now, model)
            _expect(neuron, _not_before(own, limit, lane, now, model), False, t_end, crossings)
            spike_time[progress[SPIKES]], spike_neuron[progress[SPIKES]] = now, neuron
            progress[SPIKES] += 1
            layer = 0
            while neuron >= first_tile[layer + 1] * TILE:
                layer += 1
            source = neuron - first_tile[layer] * TILE
            _send(source, now, t_end, sends[layer + 1], sends[layer + 2], projection, axon_of, delay, flights)
        elif given == now:
            progress[INPUT] = k + 1
            axon = axon_of[address[k]]
            if projection[0, FIRST_SYNAPSE] < 0 and axon >= 0 and delay[axon] == 0.0:
                _deliver(axon, fans, weight, now, t_end, neurons, crossings)
            else:
                _send(address[k], now, t_end, sends[0], sends[1], projection, axon_of, delay, flights)
        else:
            row, axon = projection[flight_route[0, PROJECTION]], flight_route[0, AXON]
            if row[FIRST_SYNAPSE] < 0:
                _deliver(axon, fans, weight, now, t_end, neurons, crossings)
                _go_on(np.inf, 0, flights)
            else:
                _deliver_next(
                    axon - row[FIRST_AXON], row, weight, target, target_delay, now, t_end, neurons, crossings, flights
                )

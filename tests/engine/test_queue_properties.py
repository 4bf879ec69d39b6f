"""What must hold of every run of the event queue: threads, buffers, shifts in time, equal delays, numbering."""

import copy
import itertools
from unittest import mock

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from queue_scenes import DELAYS, NEURONS, random_network, random_times

from eventsim import kernels
from eventsim.engine import queue
from eventsim.engine.queue import NetworkQueue, forward_queue
from eventsim.model.layers import Recurrent
from eventsim.spikes import Spikes

QUICK = settings(deadline=None, derandomize=True, max_examples=60)
KINDS = st.sampled_from(list(DELAYS))


@st.composite
def runs(draw):
    """A network, a batch, and a generator."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    widths = [draw(st.sampled_from([1, 7, 64, 70])) for _ in range(draw(st.integers(2, 4)))]
    wiring = [(draw(KINDS), draw(st.none() | KINDS)) for _ in widths[1:]]
    network = random_network(rng, widths, NEURONS[draw(st.sampled_from(list(NEURONS)))], wiring, n_ticks=30)
    return network, random_times(rng, widths[0], draw(st.integers(1, 40)), 30, draw(st.integers(1, 3))), rng


def same(a, b):
    return all(x.spikes == y.spikes for x, y in zip(a.layers, b.layers, strict=True))


def test_the_runs_below_are_not_all_silent():
    found = []

    @QUICK
    @given(runs())
    def collect(run):
        network, spikes, _ = run
        trace = forward_queue(network, spikes)
        for layer in trace.layers:
            layer.spikes.check()
        found.append(len(trace.output) > 0)

    collect()
    assert np.mean(found) > 0.5


@QUICK
@given(runs(), st.integers(2, 5), st.integers(1, 50))
def test_neither_threads_nor_first_buffers_nor_batches_change_the_result(run, n_threads, room):
    network, spikes, _ = run
    want = forward_queue(network, spikes)
    kernels.set_threads(n_threads)
    try:
        with mock.patch.object(queue, "_FIRST_ROOM", room):
            assert same(forward_queue(network, spikes), want)
    finally:
        kernels.set_threads(None)
    singles = [forward_queue(network, spikes.sample(b)).output for b in range(spikes.n_samples)]
    assert Spikes.concatenate(singles) == want.output


@QUICK
@given(runs(), st.lists(st.floats(0.0, 30.0), max_size=6))
def test_piece_by_piece_is_the_same_as_at_once(run, cuts):
    network, spikes, _ = run
    spikes = spikes.sample(0)
    pieces, whole = NetworkQueue(network), forward_queue(network, spikes)
    found = []
    for since, until in itertools.pairwise([0.0, *sorted(cuts), 30.0]):
        given = slice(*np.searchsorted(spikes.time, [since, until]))
        found.append(pieces.advance(spikes.time[given], spikes.address[given], until))
    for k, layer in enumerate(whole.layers):
        for column, want in enumerate((layer.spikes.time, layer.spikes.address)):
            np.testing.assert_array_equal(np.concatenate([piece[k][column] for piece in found]), want)


@QUICK
@given(runs(), st.floats(0.0, 20.0))
def test_a_later_input_gives_the_same_output_later(run, d):
    network, spikes, _ = run
    later = Spikes(spikes.sample_ptr, spikes.address, time=spikes.time + d, n_neurons=spikes.n_neurons, n_ticks=50)
    whole = forward_queue(network, Spikes(spikes.sample_ptr, spikes.address, time=spikes.time,
                                          n_neurons=spikes.n_neurons, n_ticks=50))
    for x, y in zip(whole.layers, forward_queue(network, later).layers, strict=True):
        want, got = (s.to_structured() for s in (x.spikes, y.spikes))
        want = want[want["time"] < 50 - d - 1e-6]
        assert len(got) >= len(want)
        for b in range(spikes.n_samples):
            a, c = want[want["sample"] == b], got[got["sample"] == b]
            # What happens at one moment may happen in another order, by rounding.
            a, c = np.sort(a, order=["address", "time"]), c[: len(a)]
            c = np.sort(c, order=["address", "time"])
            assert np.array_equal(a["address"], c["address"])
            np.testing.assert_allclose(a["time"] + d, c["time"], rtol=0, atol=1e-9)


@QUICK
@given(runs(), st.floats(0.0, 20.0))
def test_a_delay_of_the_first_layer_is_a_later_input(run, d):
    network, spikes, _ = run
    kept = spikes.time + d < 30
    sample = np.repeat(np.arange(spikes.n_samples), np.diff(spikes.sample_ptr))[kept]
    later = Spikes(np.searchsorted(sample, np.arange(spikes.n_samples + 1)), spikes.address[kept],
                   time=spikes.time[kept] + d, n_neurons=spikes.n_neurons, n_ticks=30)
    network.layers[0].delay = None
    want = forward_queue(network, later)
    for delay in (d, np.full(spikes.n_neurons, d), np.full((spikes.n_neurons, network.layers[0].n_out), d)):
        network.layers[0].delay = delay
        assert same(forward_queue(network, spikes), want)


@QUICK
@given(runs(), st.floats(0.0, 30.0))
def test_the_future_does_not_change_the_past(run, cut):
    network, spikes, _ = run
    first = Spikes.from_structured(spikes.to_structured()[spikes.time < cut], n_samples=spikes.n_samples,
                                   n_neurons=spikes.n_neurons, n_ticks=30)
    for x, y in zip(forward_queue(network, spikes).layers, forward_queue(network, first).layers, strict=True):
        x, y = (s.to_structured()[s.time < cut] for s in (x.spikes, y.spikes))
        assert np.array_equal(x, y)


def permuted(values, rows=None, columns=None):
    """Weights or delays with their rows and columns in other places; fewer axes have less to put."""
    if values is None or np.ndim(values) == 0:
        return values
    out = np.array(values)
    if rows is not None:
        out[rows] = out.copy()
    if columns is not None and out.ndim == 2:
        out[:, columns] = out.copy()
    return out


@QUICK
@given(runs())
def test_neurons_may_be_renumbered(run):
    """Times are distinct, so that sums are in the order of time whatever the numbers."""
    network, spikes, rng = run
    orders = [rng.permutation(n) for n in (spikes.n_neurons, *(layer.n_out for layer in network.layers))]
    other = copy.deepcopy(network)
    for layer, rows, columns in zip(other.layers, orders, orders[1:], strict=False):
        layer.weight, layer.delay = permuted(layer.weight, rows, columns), permuted(layer.delay, rows, columns)
        if isinstance(layer, Recurrent):
            own = layer.recurrent
            own.weight, own.delay = permuted(own.weight, columns, columns), permuted(own.delay, columns, columns)
    shuffled = Spikes(spikes.sample_ptr, orders[0][spikes.address], time=spikes.time, n_neurons=spikes.n_neurons,
                      n_ticks=30)
    found = forward_queue(other, shuffled)
    for x, y, order in zip(forward_queue(network, spikes).layers, found.layers, orders[1:], strict=True):
        renumbered = x.spikes.to_structured()
        renumbered["address"] = order[renumbered["address"]]
        want = Spikes.from_structured(renumbered, n_samples=spikes.n_samples, n_neurons=len(order), n_ticks=30)
        assert np.array_equal(want.address, y.spikes.address)
        np.testing.assert_allclose(want.time, y.spikes.time, rtol=0, atol=1e-9)

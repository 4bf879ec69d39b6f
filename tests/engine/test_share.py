"""Shares of a batch, on a thread each: what is drawn, what is summed up, and what becomes of errors."""

import concurrent.futures
import threading
from types import SimpleNamespace

import numpy as np
import pytest
from conv_scenes import random_conv_network
from scenes import random_spikes, some_but_not_all

from eventsim.engine import Sink, backward, forward
from eventsim.engine.feed import statistics_of
from eventsim.engine.replicas import Replicas
from eventsim.engine.share import Meeting, Share
from eventsim.errors import ConfigError
from eventsim.spikes import Spikes

SUPPORTS = [0.5, 0.5, 0.5, np.inf]


def test_what_is_drawn_for_a_sample_does_not_depend_on_its_share():
    shapes = [3, 7, 1]
    whole = Share.whole(np.random.default_rng(4), 5)
    want = [whole.random((5, n)) for n in shapes]
    assert np.array_equal(want[0], np.random.default_rng(4).random((5, 3)))
    for first, last in ((0, 2), (2, 3), (3, 5)):
        share, other = (Share(np.random.default_rng(4), first, last, 5) for _ in range(2))
        pieces = [other.piece(i, i + 1) for i in range(last - first)]
        for n, drawn in zip(shapes, want, strict=True):
            for i, piece in enumerate(pieces):
                np.testing.assert_array_equal(piece.random((1, n)), drawn[first + i : first + i + 1])
            np.testing.assert_array_equal(share.random((last - first, n)), drawn[first:last])


def test_a_meeting_sums_up_in_the_order_of_shares_as_often_as_asked():
    meeting, sums = Meeting(3), [[], [], []]

    def meet(rank):
        for i in range(50):
            sums[rank].append(meeting.summed(rank, np.array([1e16, 1.0, -1e16])[[rank]] * (i + 1)))

    threads = [threading.Thread(target=meet, args=(rank,)) for rank in (2, 0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    want = [((1e16 * i + i) - 1e16 * i) for i in range(1, 51)]
    assert sums[0] == sums[1] == sums[2] and [float(total[0]) for total in sums[0]] == want


@pytest.mark.parametrize("n_replicas", [2, 3, 7])
def test_shares_have_the_spikes_and_sum_up_to_the_gradient_of_the_batch(rng, n_replicas):
    spikes = random_spikes(rng, 10 * 8 * 2, 5, 40, 0.1, empty=(1,))
    network = random_conv_network(rng, "10x8x2-12c3-2p-bn-16c3p1-bn-12c3-do0.3-9", spikes)
    errors = rng.normal(size=(5, 9, 40)).astype(np.float32)

    def walk(rank, share):
        given = spikes.samples(share.first, share.last)
        trace = forward(network, given, supports=SUPPORTS, rng=share)
        gradient = [np.zeros_like(array) for array in network.parameters]
        backward(network, trace, lambda b: errors[share.first + b], [Sink(gradient=array) for array in gradient])
        return trace, gradient

    (whole, want), = Replicas([network]).each(walk, range(9), 5, key=3)
    parts = Replicas([network] * n_replicas).each(walk, range(9), 5, key=3)
    assert len(parts) == min(n_replicas, 5)
    for i, done in enumerate(whole.layers):
        assert some_but_not_all(done.spikes)
        assert Spikes.concatenate([trace.layers[i].spikes for trace, _ in parts]) == done.spikes
        for trace, _ in parts:
            found, own = statistics_of(whole)[i], statistics_of(trace)[i]
            assert (found is None) == (own is None)
            if found is not None:
                assert (own.n, own.mean.tolist(), own.var.tolist()) == (found.n, found.mean.tolist(),
                                                                       found.var.tolist())
    assert len(want) == 8
    for i, array in enumerate(want):
        total = np.sum([gradient[i].astype(float) for _, gradient in parts], axis=0)
        np.testing.assert_allclose(total, array, rtol=0, atol=1e-5 * np.abs(array).max())


def test_an_error_of_one_ends_those_that_wait_for_it_and_is_raised():
    replicas, reached = Replicas([SimpleNamespace(device=None)] * 3), []

    def work(rank, share):
        if rank == 1:
            raise ConfigError("the sentence")
        reached.append(share.summed(np.zeros(1)))

    for _ in range(3):
        with pytest.raises(ConfigError, match=r"^the sentence$"):
            replicas.each(work, range(3), 9)
    assert reached == []
    assert replicas.each(lambda rank, share: (rank, share.n_samples), range(3), 2) == [(0, 1), (1, 1)]


def test_an_interruption_ends_all(monkeypatch):
    replicas, released, ended = Replicas([SimpleNamespace(device=None)] * 2), threading.Event(), []
    wait_for, waits = concurrent.futures.wait, []

    def work(rank, share):
        try:
            if rank == 0:
                share.summed(np.zeros(1))
            released.wait(10)
        finally:
            ended.append(rank)

    def wait(futures):
        waits.append(len(futures))
        if len(waits) == 1:
            raise KeyboardInterrupt
        released.set()
        return wait_for(futures)

    monkeypatch.setattr("concurrent.futures.wait", wait)
    with pytest.raises(KeyboardInterrupt):
        replicas.each(work, range(2), 2)
    assert waits == [2, 2] and sorted(ended) == [0, 1]

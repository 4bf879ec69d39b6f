"""Replicas of a network on several devices, each of which does a share of every batch."""

import concurrent.futures
import contextlib
import threading

import numpy as np

from eventsim.engine.gpu.devices import on_device
from eventsim.engine.runs import even_parts
from eventsim.engine.share import Meeting, Share
from eventsim.kernels.memory import assign, on_host


class Replicas:
    """Equal networks, on a device each.

    One network works on the thread that asks. Several have a thread each: one that waits for its device, or for others,
    lets the others go on, but Python itself runs on one at a time. So devices add up where each takes longer over its
    share than Python takes to launch the kernels of all.
    """

    def __init__(self, networks):
        self.networks = list(networks)
        self._threads = None
        if len(self.networks) > 1:
            self._threads = concurrent.futures.ThreadPoolExecutor(len(self.networks), "eventsim-device")

    @classmethod
    def of(cls, network, devices) -> "Replicas":
        """A network on each of some `Device` s, None for the host.

        What normalises is on the host whatever the device, and the same for all: it is trained once.
        """
        first, *others = (on_device(network, device) for device in devices)
        for other in others:
            for layer, leading in zip(other.layers, first.layers, strict=True):
                layer.stages = leading.stages
        return cls([first, *others])

    def follow(self):
        """Give all networks the weights of the first."""
        first, *others = (network.parameters for network in self.networks)
        for i, array in enumerate(first if others else ()):
            values = on_host(array)
            for other in others:
                if other[i] is not array:
                    assign(other[i], values)

    def each(self, work, workers, n_samples: int, key=None) -> list:
        """What ``work(worker, share)`` gives, in the order of the shares, into which a batch is cut evenly.

        There are no more shares than samples, so the last workers may have none. An error of one ends all, and is
        raised.

        workers : the networks, or what works on each of them
        key : seed of what is drawn for the batch; None: nothing is
        """
        bounds = even_parts(np.ones(n_samples), len(self.networks))
        meeting = Meeting(len(bounds)) if len(bounds) > 1 else None

        def one(rank):
            rng = None if key is None else np.random.default_rng(key)
            return work(workers[rank], Share(rng, *bounds[rank], n_samples, rank, meeting))

        return [one(0)] if meeting is None else self._at_once(one, len(bounds), meeting)

    def _at_once(self, one, n, meeting):
        """What ``one(rank)`` gives for every rank, on a thread each."""
        def attempt(rank):
            try:
                with in_use(self.networks[rank].device):
                    return one(rank)
            except BaseException:
                meeting.abort()
                raise

        futures = []
        try:
            for rank in range(n):
                futures.append(self._threads.submit(attempt, rank))
            concurrent.futures.wait(futures)
        except BaseException:  # an interruption, or no more threads may start
            meeting.abort()
            concurrent.futures.wait(futures)  # they still write into what the caller would go on with
            raise
        errors = [error for future in futures if (error := future.exception()) is not None]
        if errors:
            # Others only say that they waited for one that failed.
            raise next((error for error in errors if not isinstance(error, threading.BrokenBarrierError)), errors[0])
        return [future.result() for future in futures]


def in_use(device):
    """A context in which a `Device` is the one that this thread uses; None for the host."""
    return contextlib.nullcontext() if device is None else device.use()

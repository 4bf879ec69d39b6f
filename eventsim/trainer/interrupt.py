"""Stopping a long run between two batches."""

import contextlib
import signal
import threading

from eventsim.errors import EventsimError


class Interrupted(EventsimError):
    """A run was stopped on request; its checkpoint is written."""

    def __init__(self, epoch, position, n_batches):
        super().__init__(f"stopped in epoch {epoch + 1} after batch {position} of {n_batches}")
        self.epoch, self.position, self.n_batches = epoch, position, n_batches


@contextlib.contextmanager
def watch_for_interrupt():
    """An event that the first SIGINT or SIGTERM sets; the second one has its usual effect.

    Signals reach Python's main thread only; elsewhere the event is never set.
    """
    event = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield event
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def request(number, frame):
        event.set()
        signal.signal(number, before[number])

    for number in before:
        signal.signal(number, request)
    try:
        yield event
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

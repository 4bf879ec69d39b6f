"""`Observer`: what is told how a training goes."""

from collections.abc import Iterable

from eventsim.errors import ConfigError


class Observer:
    """Told how a run goes; every method may be left as it is."""

    def start(self, trainer, n_batches):
        """Training is about to start, or to go on, with ``n_batches`` batches an epoch."""

    def batch(self, trainer):
        """A batch is done; ``trainer.metrics`` has the epoch so far."""

    def ran(self, trace, labels):
        """A batch without training was run, or a device's share of one: its `Trace` and labels int64[B]."""

    def validation(self, done, total):
        """``done`` of ``total`` validation batches are done."""

    def epoch(self, record):
        """An epoch is done and in the checkpoint; ``record`` is its line of the history."""


class Observers(Observer):
    """Several as one: each is told what this one is, in their order."""

    def __init__(self, observers):
        self._all = tuple(observers)

    def start(self, trainer, n_batches):
        """Pass it on."""
        for observer in self._all:
            observer.start(trainer, n_batches)

    def batch(self, trainer):
        """Pass it on."""
        for observer in self._all:
            observer.batch(trainer)

    def ran(self, trace, labels):
        """Pass it on."""
        for observer in self._all:
            observer.ran(trace, labels)

    def validation(self, done, total):
        """Pass it on."""
        for observer in self._all:
            observer.validation(done, total)

    def epoch(self, record):
        """Pass it on."""
        for observer in self._all:
            observer.epoch(record)


def listed(observer) -> list:
    """``observer``, which is one, several or None, as a list; raises `ConfigError` for anything else."""
    several = [] if observer is None else [observer] if isinstance(observer, Observer) else observer
    several = list(several) if isinstance(several, Iterable) else [several]
    wrong = [one for one in several if not isinstance(one, Observer)]
    if wrong:
        raise ConfigError(f"observer must be an Observer or a list of them, got {wrong[0]!r}")
    return several

"""What a device does in a training step: it walks a share of the batch forward and back, and takes the step."""

import math
from dataclasses import dataclass

import numpy as np

from eventsim.engine import Sink, backward, run
from eventsim.engine.backward import takes_steps
from eventsim.engine.feed import statistics_of
from eventsim.kernels.memory import zeros_like, zeros_together
from eventsim.trainer.losses import loss_of
from eventsim.trainer.metrics import Metrics

# (neuron, tick) pairs of full support that one backward walk may hold; a share with more is walked in pieces.
_PAIRS_A_WALK = 1 << 22


@dataclass(frozen=True)
class Walked:
    """What is known of samples after their walk.

    losses : float64[B]; metrics : `Metrics` of them, without losses
    statistics : `Statistics` of the batch that layers were normalised by, or None, of every layer
    """

    losses: np.ndarray
    metrics: Metrics
    statistics: list


class Worker:
    """A network on a device with what trains it there.

    config : TrainingConfig
    check : called with losses float64[B] that are not finite; raises
    rank : its number, where it is one of several; the first trains what is on the host, which all share

    Of several the gradients on the device are ``gradient``, one array.
    """

    def __init__(self, network, config, check, rank=None):
        self.network, self._check, self._rank = network, check, rank
        self._supports = config.supports(network.arch.widths)
        self._parameters = network.parameters
        # Those that no backward walk can hand to the optimiser at once, and what normalises, which weight decay spares.
        self._deferred = [not (takes_steps(layer) and i == 0) for layer in network.layers
                          for i in range(len(layer.parameters))]
        self.optimizer = config.make_optimizer(self._parameters, decayed=network.decayed)
        self._on_host = [i for i, array in enumerate(self._parameters) if isinstance(array, np.ndarray)]
        self._gradients, self.gradient = {}, None  # of parameters, where a step needs them
        if rank is not None:
            there = [i for i in range(len(self._parameters)) if i not in self._on_host]
            self.gradient, parts = zeros_together(network.device, [self._parameters[i].shape for i in there])
            self._gradients = dict(zip(there, parts, strict=True))
        self._pending = []  # parameters whose gradients `update` takes

    def begin(self, rate):
        """Begin a step with learning rate ``rate``."""
        self.optimizer.begin(rate)
        self._pending = range(len(self._parameters))

    def walk(self, spikes, labels, share, loss, regularizer) -> Walked:
        """Walk a `Share` of a batch of spikes and labels forward and back.

        The weights of some layers may have changed then; `update` changes those of the others.
        """
        spikes, labels = share.of(spikes, labels)
        n_samples, walk = share.n_samples, self._samples_a_walk(spikes)
        whole = walk >= n_samples
        if whole and self._rank is None:
            self._pending = [i for i, deferred in enumerate(self._deferred) if deferred]
        sinks = [Sink(gradient=self._gradient(i)) if i in self._pending else self.optimizer.sink(i)
                 for i in range(len(self._parameters))]
        metrics, losses = Metrics(self.network, self.network.arch.n_outputs), []
        for first in range(0, n_samples, walk):
            last = min(first + walk, n_samples)
            given = spikes if whole else spikes.samples(first, last)
            trace = run(self.network, given, supports=self._supports, rng=share.piece(first, last))
            values, error, pressure = self._judge(trace, labels[first:last], loss, regularizer)
            metrics.count(trace, labels[first:last])
            losses.append(values)
            backward(self.network, trace, error, sinks, pressure=pressure)
        return Walked(np.concatenate(losses), metrics, statistics_of(trace))

    def _samples_a_walk(self, spikes):
        """Samples that one backward walk holds: all of them where the batch's statistics normalise it."""
        if any(layer.norm is not None for layer in self.network.layers):
            return spikes.n_samples
        full = sum(
            width for width, support in zip(self.network.arch.widths, self._supports, strict=True)
            if math.isinf(support)
        )
        return max(1, min(_PAIRS_A_WALK // max(1, full * spikes.n_ticks), spikes.n_samples))

    def _gradient(self, i):
        """An array for the gradient of parameter ``i``, of zeros whenever a step begins."""
        if i not in self._gradients:
            self._gradients[i] = zeros_like(self._parameters[i])
        return self._gradients[i]

    def _judge(self, trace, labels, loss, regularizer):
        """The losses of what ran, the error of its output, and the layers' pressure."""
        result = loss_of(loss, self.network, trace, labels)
        penalty, pressure = regularizer(trace) if regularizer else (0.0, None)
        values = result.value + penalty
        if not np.isfinite(values).all():
            self._check(values)
        return values, result.error, pressure

    def take_over(self, other):
        """Add the gradients on the host that another worker has found, and set those to zero."""
        for i in self._on_host:
            self._gradient(i)[...] += other._gradient(i)
            other._gradient(i).fill(0.0)

    def update(self):
        """Take the rest of the step."""
        for i in self._pending:
            if not self._rank or i not in self._on_host:
                self.optimizer.update(i, self._parameters[i], self._gradient(i), self.network.device)


def add_up(workers, communicator):
    """Give each of several workers the gradients that all have found, and the first those on the host."""
    communicator.all_reduce([worker.gradient for worker in workers])
    for other in workers[1:]:
        workers[0].take_over(other)

"""The engine's phases one by one, on one core, and what share of the cache's or the memory's speed they reach."""

from dataclasses import dataclass

import numpy as np

from eventsim.bench.scene import STILL
from eventsim.bench.timing import median, on_threads
from eventsim.engine import Sink, forward
from eventsim.engine.adjoint import block_samples
from eventsim.engine.backward import backward_layer, gather_error, takes_steps
from eventsim.engine.forward import forward_layer
from eventsim.engine.runs import by_address
from eventsim.trainer import TrainingConfig
from eventsim.trainer.optimizers import Adam


@dataclass(frozen=True)
class Phase:
    """One phase of one batch: seconds a sample, operations a sample, and bytes/s over the rate it is held against.

    operation : "SynOp" (a row's entry added), "MAC", or "weight"; bound : "L2" or "memory"; share : None where the
    phase is not bound by reading
    """

    name: str
    seconds: float
    operations: float
    operation: str
    bound: str | None = None
    share: float | None = None

    @property
    def rate(self) -> float:
        """Operations/s of one core."""
        return self.operations / self.seconds if self.seconds > 0 else 0.0


def forward_phases(scene, machine, weights="float32") -> list[Phase]:
    """The sweep of every layer, and of all."""
    network, samples = scene.network.with_weights(weights), scene.spikes.n_samples
    width = network.layers[0].packed.itemsize
    out, spikes = [], scene.spikes
    with on_threads(1):
        for name, layer in zip(network.layer_names, network.layers, strict=True):
            done = forward_layer(layer, network.neuron, spikes)
            took = median(lambda layer=layer, spikes=spikes: forward_layer(layer, network.neuron, spikes)) / samples
            out.append(_reading(f"forward {name}", took, done.synops / samples, width, machine))
            spikes = done.spikes
    return [*out, _together("forward", out, width, machine)]


def _together(name, phases, width, machine):
    return _reading(name, sum(p.seconds for p in phases), sum(p.operations for p in phases), width, machine)


def _reading(name, took, synops, width, machine):
    """A phase that adds rows; where differences of times left nothing, it has no share."""
    share = synops * width / took / machine.l2_read if took > 0 else None
    return Phase(name, took, synops, "SynOp", "L2", share)


def backward_phases(scene, machine) -> list[Phase]:
    """Adjoint, weight gradient and error of every layer, and the optimiser.

    The adjoint is a backward pass that gathers no weight gradient. The gradient is what it makes a pass longer that
    takes the optimiser's step on its way, as training does, and the error what a layer below does. A layer whose step
    cannot be taken on the way, as a convolution's, is one phase.
    """
    network, samples = scene.network, scene.spikes.n_samples
    config = TrainingConfig()
    whole, adjoints, gradients, errors = [], [], [], []
    with on_threads(1):
        parameters = network.parameters
        optimizer, zeros = Adam(parameters), [np.zeros_like(array) for array in parameters]
        optimizer.begin(STILL)
        trace = forward(network, scene.spikes, supports=scene.supports, rng=np.random.default_rng(0))
        error = config.make_loss()(trace.output, scene.labels, network.neuron).error
        current, end = gather_error(trace.layers[-1].active, error), len(parameters)
        for i in reversed(range(len(network.layers))):
            layer, done = network.layers[i], trace.layers[i]
            below, first = trace.layers[i - 1].active if i else None, end - len(layer.parameters)
            adding = [Sink(gradient=gradient) for gradient in zeros[first:end]]

            def run(sinks, rows=None, below=None, layer=layer, done=done, current=current):
                return backward_layer(layer, network.neuron, done, current, below, sinks, rows=rows)

            if takes_steps(layer):
                given, stepping = done.feed.spikes, [optimizer.sink(first)]
                (rows,) = by_address([given], block_samples(given), [network.neuron])
                nothing = rows._replace(neuron_ptr=np.zeros_like(rows.neuron_ptr))
                adjoint, silent, gradient, full = (
                    median(lambda arguments=arguments, run=run: run(*arguments)) / samples
                    for arguments in ((adding, nothing), (stepping, nothing), (stepping, rows), (stepping, rows, below))
                )
                adjoints.append(Phase("", adjoint, layer.n_out * given.n_ticks, "tick"))
                gradients.append(Phase("", max(gradient - silent, 0.0), done.synops / samples, "SynOp"))
                if below is not None:
                    errors.append(Phase("", max(full - gradient, 0.0), below.n_pairs * layer.n_out / samples, "MAC"))
            else:
                took = median(lambda run=run, adding=adding, below=below: run(adding, None, below)) / samples
                whole.append(Phase(f"backward {network.layer_names[i]}", took, done.synops / samples, "SynOp"))
            current, end = run(adding, None, below), first
        step = median(
            lambda: [optimizer.update(i, array, zeros[i]) for i, array in enumerate(parameters)]
        ) / samples
    return [
        *reversed(whole), *([_sum("adjoint of the psp", adjoints, "tick")] if adjoints else []),
        *([_together("weight gradient", gradients, 4, machine)] if gradients else []),
        *([_sum("error sent down", errors, "MAC")] if errors else []),
        # Weight, gradient and two moments are read; the share leaves out that as much is written.
        Phase("Adam, by itself", step, network.n_weights / samples, "weight", "memory",
              16 * network.n_weights / samples / step / machine.memory_read),
    ]


def _sum(name, phases, operation):
    return Phase(name, sum(p.seconds for p in phases), sum(p.operations for p in phases), operation)

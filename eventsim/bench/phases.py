"""The engine's phases one by one, on one core, and what share of the cache's or the memory's speed they reach."""

from dataclasses import dataclass

import numpy as np

from eventsim.bench.scene import STILL
from eventsim.bench.timing import median, on_threads
from eventsim.engine import Sink, forward
from eventsim.engine.backward import backward_layer, block_samples, gather_error
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


def _given(trace):
    return [trace.input, *(layer.spikes for layer in trace.layers[:-1])]


def forward_phases(scene, machine, weights="float32") -> list[Phase]:
    """The sweep of every layer, and of all."""
    network, samples = scene.network.with_weights(weights), scene.spikes.n_samples
    width = network.layers[0].packed.itemsize
    out = []
    with on_threads(1):
        for name, layer, spikes in zip(network.layer_names, network.layers, _given(forward(network, scene.spikes)),
                                       strict=True):
            took = median(lambda layer=layer, spikes=spikes: forward_layer(layer, network.neuron, spikes)) / samples
            synops = len(spikes) * layer.n_out / samples
            out.append(_reading(f"forward {name}", took, synops, width, machine))
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
    takes the optimiser's step on its way, as training does, and the error what a layer below does.
    """
    network, samples = scene.network, scene.spikes.n_samples
    config = TrainingConfig()
    adjoints, gradients, errors = [], [], []
    with on_threads(1):
        weights = [layer.packed for layer in network.layers]
        optimizer, zeros = Adam(weights), [np.zeros_like(w) for w in weights]
        optimizer.begin(STILL)
        sinks = [optimizer.sink(i) for i in range(len(weights))]
        trace = forward(network, scene.spikes, supports=scene.supports)
        error = config.make_loss()(trace.output, scene.labels, network.neuron).error
        current = gather_error(trace.layers[-1].active, error)
        for i in reversed(range(len(network.layers))):
            layer, given, active = network.layers[i], _given(trace)[i], trace.layers[i].active
            below = trace.layers[i - 1].active if i else None
            adding = Sink(gradient=zeros[i])
            (rows,) = by_address([given], block_samples(given))
            nothing = rows._replace(neuron_ptr=np.zeros_like(rows.neuron_ptr))

            def run(rows, sink, below=None, layer=layer, given=given, active=active, current=current):
                return backward_layer(layer, network.neuron, given, active, current, below, sink, rows=rows)

            adjoint, silent, gradient, full = (
                median(lambda arguments=arguments, run=run: run(*arguments)) / samples
                for arguments in ((nothing, adding), (nothing, sinks[i]), (rows, sinks[i]), (rows, sinks[i], below))
            )
            adjoints.append(Phase("", adjoint, layer.n_out * given.n_ticks, "tick"))
            gradients.append(Phase("", max(gradient - silent, 0.0), len(given) * layer.n_out / samples, "SynOp"))
            if below is not None:
                errors.append(Phase("", max(full - gradient, 0.0), below.n_pairs * layer.n_out / samples, "MAC"))
            current = run(rows, sinks[i], below)
        step = median(lambda: [optimizer.update(i, w, zeros[i]) for i, w in enumerate(weights)]) / samples
    return [
        _sum("adjoint of the psp", adjoints, "tick"), _together("weight gradient", gradients, 4, machine),
        *([_sum("error sent down", errors, "MAC")] if errors else []),
        # Weight, gradient and two moments are read; the share leaves out that as much is written.
        Phase("Adam, by itself", step, network.n_weights / samples, "weight", "memory",
              16 * network.n_weights / samples / step / machine.memory_read),
    ]


def _sum(name, phases, operation):
    return Phase(name, sum(p.seconds for p in phases), sum(p.operations for p in phases), operation)

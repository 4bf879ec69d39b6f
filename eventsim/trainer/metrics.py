"""What is counted while samples pass: loss, accuracy, and the activity of every layer."""

import numpy as np

from eventsim.engine.runs import mark_fired


class Metrics:
    """Running figures of a network over a pass; `state` and `load_state` carry them through a checkpoint."""

    def __init__(self, network, n_classes):
        widths = network.arch.widths
        self._is_read = network.readout is not None  # and so its last layer has no spikes to count
        self.samples = 0
        self.loss = 0.0
        self.confusion = np.zeros((n_classes, n_classes), np.int64)
        self.spikes = np.zeros(len(widths), np.int64)
        self.synops = np.zeros(len(widths), np.int64)
        self.dense_macs = np.zeros(len(widths), np.int64)
        self.fired = [np.zeros(width, bool) for width in widths]
        self.active = np.zeros(len(widths), np.int64)  # pairs (neuron, tick) of the backward pass
        self.ticks = 0  # of all samples together
        self.seconds = np.zeros(len(widths))  # of this process alone: no part of `state`
        self.binning = None  # what became of the events, where the whole pass was one loader's

    def add(self, trace, labels, values):
        """Count one batch: its `Trace`, labels int64[B] and loss values float64[B]."""
        self.count(trace, labels)
        self.add_losses(values)

    def add_losses(self, values):
        """Add the losses of one batch, float64[B]."""
        self.loss += float(np.sum(values))

    def count(self, trace, labels):
        """Count some samples, but for their losses."""
        self.samples += len(labels)
        self.ticks += trace.input.n_samples * trace.input.n_ticks
        np.add.at(self.confusion, (labels, np.minimum(trace.predict(), len(self.confusion) - 1)), 1)
        for i, layer in enumerate(trace.layers):
            self.spikes[i] += len(layer.spikes)
            self.synops[i] += layer.synops
            self.dense_macs[i] += layer.dense_macs
            mark_fired(layer.spikes, self.fired[i])
            self.seconds[i] += layer.seconds
            if layer.active is not None:
                full = layer.active.full  # which has pairs for lanes of no neuron, too
                pairs = trace.input.n_samples * trace.input.n_ticks * len(self.fired[i])
                self.active[i] += pairs if full else layer.active.n_pairs

    def take_in(self, other):
        """Add what another counted: whole numbers but for losses, so that it does not matter who counted what."""
        self.samples += other.samples
        self.loss += other.loss
        self.ticks += other.ticks
        for name in ("confusion", "spikes", "synops", "dense_macs", "active", "seconds"):
            total = getattr(self, name)
            total += getattr(other, name)
        for own, found in zip(self.fired, other.fired, strict=True):
            own |= found

    def summary(self) -> dict:
        """Plain figures: loss a sample, accuracy, and of every layer spikes a neuron and sample and the silent share.

        The last two are None for a layer whose potentials are read.

        Of a training also ``active``, the share of neurons and ticks that the backward pass had to visit.
        """
        n, ticks = max(self.samples, 1), max(self.ticks, 1)
        active = [float(pairs) / (ticks * len(f)) for pairs, f in zip(self.active, self.fired, strict=True)]
        rates = [float(s) / (n * len(f)) for s, f in zip(self.spikes, self.fired, strict=True)]
        silent = [float(1.0 - f.mean()) for f in self.fired]
        if self._is_read:
            rates[-1] = silent[-1] = None
        return {
            "samples": self.samples,
            "loss": self.loss / n,
            "accuracy": float(np.trace(self.confusion)) / n,
            "rates": rates,
            "silent": silent,
            "synops": float(self.synops.sum()) / n,
            "dense_macs": float(self.dense_macs.sum()) / n,
            **({"active": active} if self.active.any() else {}),
        }

    def state(self) -> dict:
        """Everything counted so far, as arrays."""
        return {
            "samples": self.samples, "loss": self.loss, "confusion": self.confusion, "spikes": self.spikes,
            "synops": self.synops, "dense_macs": self.dense_macs, "fired": np.concatenate(self.fired),
            "active": self.active, "ticks": self.ticks,
        }

    def load_state(self, state):
        """Take back what `state` gave."""
        self.samples, self.loss = int(state["samples"]), float(state["loss"])
        for name in ("confusion", "spikes", "synops", "dense_macs"):
            getattr(self, name)[...] = state[name]
        self.active[...], self.ticks = state.get("active", 0), int(state.get("ticks", 0))  # older checkpoints lack it
        ends = np.cumsum([len(f) for f in self.fired])[:-1]
        self.fired = [part.astype(bool) for part in np.split(np.asarray(state["fired"]), ends)]

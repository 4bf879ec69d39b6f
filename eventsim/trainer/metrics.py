"""What is counted while samples pass: loss, accuracy, and the activity of every layer."""

import numpy as np

from eventsim import kernels


class Metrics:
    """Running figures over a pass; `state` and `load_state` carry them through a checkpoint."""

    def __init__(self, widths, n_classes):
        self.samples = 0
        self.loss = 0.0
        self.confusion = np.zeros((n_classes, n_classes), np.int64)
        self.spikes = np.zeros(len(widths), np.int64)
        self.synops = np.zeros(len(widths), np.int64)
        self.dense_macs = np.zeros(len(widths), np.int64)
        self.fired = [np.zeros(width, bool) for width in widths]
        self.seconds = np.zeros(len(widths))  # of this process alone: no part of `state`
        self.binning = None  # what became of the events, where the whole pass was one loader's

    def add(self, trace, labels, values):
        """Count one batch: its `Trace`, labels int64[B] and loss values float64[B]."""
        self.samples += len(labels)
        self.loss += float(np.sum(values))
        np.add.at(self.confusion, (labels, np.minimum(trace.predict(), len(self.confusion) - 1)), 1)
        for i, layer in enumerate(trace.layers):
            self.spikes[i] += len(layer.spikes)
            self.synops[i] += layer.synops
            self.dense_macs[i] += layer.dense_macs
            kernels.call("mark_neurons", address=layer.spikes.address, fired=self.fired[i])
            self.seconds[i] += layer.seconds

    def summary(self) -> dict:
        """Plain figures: loss a sample, accuracy, spikes a neuron and sample and silent share of every layer."""
        n = max(self.samples, 1)
        return {
            "samples": self.samples,
            "loss": self.loss / n,
            "accuracy": float(np.trace(self.confusion)) / n,
            "rates": [float(s) / (n * len(f)) for s, f in zip(self.spikes, self.fired, strict=True)],
            "silent": [float(1.0 - f.mean()) for f in self.fired],
            "synops": float(self.synops.sum()) / n,
            "dense_macs": float(self.dense_macs.sum()) / n,
        }

    def state(self) -> dict:
        """Everything counted so far, as arrays."""
        return {
            "samples": self.samples, "loss": self.loss, "confusion": self.confusion, "spikes": self.spikes,
            "synops": self.synops, "dense_macs": self.dense_macs, "fired": np.concatenate(self.fired),
        }

    def load_state(self, state):
        """Take back what `state` gave."""
        self.samples, self.loss = int(state["samples"]), float(state["loss"])
        for name in ("confusion", "spikes", "synops", "dense_macs"):
            getattr(self, name)[...] = state[name]
        ends = np.cumsum([len(f) for f in self.fired])[:-1]
        self.fired = [part.astype(bool) for part in np.split(np.asarray(state["fired"]), ends)]

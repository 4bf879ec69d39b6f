"""The calibrated start: every layer's weights scaled until its neurons fire at a chosen rate, or scores are apart."""

import numpy as np

from eventsim.engine.simulate import run_layer
from eventsim.kernels.memory import assign, on_host

HIDDEN_RATE = 4.0  # spikes a neuron and sample
SPREAD = 1.0  # standard deviation of scores, where potentials are read
_GAINS = (1.0, 400.0)  # over U(-1, 1) / sqrt(fan_in)
_LEAST_NORMALISED = 0.01
_HALVINGS = 12
# Sets the masks of dropout apart from other random numbers of a training.
_MASKS = 2


def calibrate(network, spikes, *, output, hidden=HIDDEN_RATE, seed=0):
    """Redraw the weights and scale each layer, in order, by bisection on the log of its gain; returns the gains.

    spikes : a few training samples, never validation data
    hidden, output : wanted spikes a neuron and sample; scores have the spread `SPREAD` instead

    With slayerPytorch's fixed scale the six-layer perceptron is silent from its third layer on; with twice that it
    saturates.
    """
    rng = np.random.default_rng([seed, 1])
    gains = []
    for i, (layer, neuron) in enumerate(zip(network.layers, network.neurons, strict=True)):
        layer.initialize(rng, 1.0)
        run = _Scaled(layer, neuron, network.dt, spikes, seed)
        gain = 1.0  # what is not trained weighs what it weighs
        if i == len(network.layers) - 1 and network.readout is not None:
            gain = run.spread(SPREAD)
        elif layer.n_weights:
            gain = run.bisect(output if i == len(network.layers) - 1 else hidden)
        gains.append(gain)
        trace = run(gain)
        _start_running(layer, trace)
        spikes = trace.spikes
    return gains


class _Scaled:
    """Runs a layer with its weights of now times a gain."""

    def __init__(self, layer, neuron, dt, spikes, seed):
        self._layer, self._neuron, self._dt, self._spikes, self._seed = layer, neuron, dt, spikes, seed
        self._unit = on_host(layer.packed).copy()

    def __call__(self, gain):
        """The layer's trace, as in training: normalised by its own statistics, the same neurons dropped every time."""
        assign(self._layer.packed, self._unit * np.float32(gain))
        rng = np.random.default_rng([self._seed, 0, 0, _MASKS])
        return run_layer(self._layer, self._neuron, self._spikes, self._dt, rng)

    def _fires_more(self, gain, wanted):
        return len(self(gain).spikes) > wanted * self._spikes.n_samples * self._layer.n_out

    def spread(self, wanted):
        """The gain with which scores of all neurons and samples have this standard deviation."""
        found = float(self(1.0).readout.score.std())
        return wanted / found if found > 0.0 else 1.0

    def bisect(self, wanted):
        """The gain with which neurons fire ``wanted`` spikes in each sample."""
        least, most = _GAINS
        if self._layer.norm is not None and self._fires_more(least, wanted):
            least, most = _LEAST_NORMALISED, least  # what comes in is no longer small
        low, high = np.log((least, most))
        for _ in range(_HALVINGS):
            middle = 0.5 * (low + high)
            low, high = (low, middle) if self._fires_more(np.exp(middle), wanted) else (middle, high)
        return float(np.exp(middle))


def _start_running(layer, trace):
    """Let the running statistics of the layer's normalisation start with those of the samples."""
    if layer.norm is not None:
        layer.norm.running_mean, layer.norm.running_var = trace.feed.statistics.mean, trace.feed.statistics.var

"""Layers without delays in continuous time, run piece by piece over a sample without an end."""

import math

import numpy as np

from eventsim.engine.exact_kernels import sweep
from eventsim.engine.exact_sweep import Part, at_rest, merged
from eventsim.engine.exact_wiring import cut_lists, inference_tiles
from eventsim.engine.feed import arrivals
from eventsim.engine.growing import run_to_end
from eventsim.kernels.layout import (
    EXACT_DEAD,
    EXACT_HARD,
    EXACT_KICK_B,
    EXACT_KICK_C,
    EXACT_LAM,
    EXACT_MU,
    EXACT_RECOIL,
    EXACT_RESET,
    EXACT_THETA,
    LIF_CURRENT,
    LIF_V,
    STATE_PSP,
)

# Time constants after which of a current nothing is left that a float64 shows beside the rest.
_GONE = 40.0
# ms: kernels take what is below for 0, and would take a piece up to there for none.
_LEAST_END = np.finfo(float).tiny
_NO_TIMES, _NOBODY = np.empty(0), np.empty(0, np.int32)


class ExactLayer:
    """A layer without delays in continuous time, of one sample that is given in pieces.

    layer : Dense or Conv; neuron : its model
    dt : ms, the dead time of a neuron that has none of its own, and the tick that normalisation was trained with

    Its state is float64 and as large as the layer, however long the sample is. How a sample is cut into pieces decides
    where windows end, and so on the last bits of spike times.
    """

    def __init__(self, layer, neuron, dt):
        self._layer, self._neuron, self._constants = layer, neuron, neuron.exact_constants(dt)
        self._tiles = inference_tiles(layer, neuron, dt)
        self._address = arrivals(layer) if layer.stages else None
        n_items = len(self._tiles.theta)
        self._items, self._begin = at_rest(self._tiles, 1, self._constants), 0.0
        if layer.patches is None:
            self._part = Part(0, n_items)
        else:
            self._part = Part(0, n_items, n_progress=6)
            self._items["since"] = np.zeros(n_items)

    @property
    def fires_alone(self) -> bool:
        """Whether a neuron fires without any spike to it, and does not end."""
        return self._tiles.fires_alone

    def advance(self, time, address, until):
        """Run up to ``until`` ms (excluded; infinite only if no neuron fires alone); returns the output spikes since.

        time : float64[E], ms, input spikes not before the last ``until`` and before this one; address : int32[E]; both
            sorted by (time, address)
        Returns float64[K] and int32[K], sorted likewise.
        """
        if self._address is not None:
            address = self._address[address]
            time, address = time[address >= 0], address[address >= 0]
        if until < math.inf:
            return self._advance(time, address, until)
        last = time[-1] if len(time) else self._begin
        spikes = self._advance(time, address, math.nextafter(last, math.inf))
        more = self._advance(time[:0], address[:0], self._begin + self._longest_wait())
        return tuple(map(np.concatenate, zip(spikes, more, strict=True)))

    def _advance(self, time, address, until):
        until = max(until, _LEAST_END) if until > 0.0 else until
        begin, self._begin = self._begin, until
        self._part.progress[:] = 0
        self._items["item_spikes"][:] = 0
        lists = cut_lists(self._layer, np.array([0, len(time)]), address, time)
        run = sweep(self._layer, self._neuron, self._constants, self._tiles, lists, 1, begin, until)
        span = {} if self._layer.patches is None else {"anew": False, "end": until}
        run_to_end(run.kernel, {**run.shared, **self._items, **span}, [self._part])
        if self._part.progress[2] == 0:  # as in most of a stream's many short pieces
            return _NO_TIMES, _NOBODY
        _, fired, when = merged([self._part], self._items["item_spikes"], 1, begin, until)
        return when, fired

    def _longest_wait(self):
        """ms after which no neuron can reach the threshold any more, if no input arrives."""
        wait = _WAITS[self._neuron.family]
        return wait(self._items["state"], self._tiles.theta, self._constants)


def _srm_wait(state, theta, constants):
    """Until no psp reaches the threshold."""
    a, b = (np.maximum(state[:, STATE_PSP + row], 0.0) for row in (0, 1))
    lam = constants[EXACT_LAM]
    wait = 1.0 / lam
    while np.any((a + b * wait) * math.exp(-lam * wait) >= theta):
        wait += 1.0 / lam
    return wait


def _lif_wait(state, theta, constants):
    """Until no potential that is never reset reaches the threshold; or, without a leak, until all have been reset."""
    v, i = (np.maximum(state[:, row], 0.0) for row in (LIF_V, LIF_CURRENT))
    lam, mu = constants[[EXACT_LAM, EXACT_MU]]
    given = abs(constants[EXACT_KICK_C]) + constants[EXACT_KICK_B] / mu  # by a unit of current, at most
    if lam == 0.0:
        least = constants[EXACT_THETA] - constants[EXACT_RESET] if constants[EXACT_HARD] else -constants[EXACT_RECOIL]
        spikes = np.where(np.isfinite(theta), v + given * i, 0.0).max(initial=0.0) / least
        return _GONE / mu + constants[EXACT_DEAD] * (spikes + 1.0)
    # Of v exp(-lam s) + i F(s), F is no more than that times (1 + s) exp(-s) with the slower of the rates.
    slow, wait = min(lam, mu), 0.0
    while np.any(v * math.exp(-lam * wait) + given * i * (1.0 + slow * wait) * math.exp(-slow * wait) >= theta):
        wait += 1.0 / slow
    return wait


# By the families of neurons.
_WAITS = {"srm": _srm_wait, "lif": _lif_wait}


class ExactNetwork:
    """A network without delays, run piece by piece: the layers one after the other over every piece."""

    def __init__(self, network):
        self._layers = [ExactLayer(layer, neuron, network.dt)
                        for layer, neuron in zip(network.layers, network.neurons, strict=True)]

    @property
    def fires_on(self) -> bool:
        """Whether some neuron may fire for ever, without any input."""
        return any(layer.fires_alone for layer in self._layers)

    def advance(self, time, address, until) -> list[tuple]:
        """`ExactLayer.advance` of every layer over the spikes of the one before; returns what each of them gives."""
        out = []
        for layer in self._layers:
            time, address = layer.advance(time, address, until)
            out.append((time, address))
        return out

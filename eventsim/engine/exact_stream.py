"""Layers without delays in continuous time, run piece by piece over a sample without an end."""

import math

import numpy as np

from eventsim.engine.exact_sweep import Part, arguments, at_rest, merged, patch_arguments
from eventsim.engine.exact_wiring import cut_lists, inference_tiles
from eventsim.engine.feed import arrivals
from eventsim.engine.growing import run_to_end
from eventsim.engine.windows import cut
from eventsim.kernels.layout import STATE_PSP

_NO_TIMES, _NOBODY = np.empty(0), np.empty(0, np.int32)


class ExactLayer:
    """A layer without delays in continuous time, of one sample that is given in pieces.

    layer : Dense or Conv; neuron : SRM; dt : ms, the dead time of a neuron that has none of its own, and the tick that
        normalisation was trained with

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
        begin, self._begin = self._begin, until
        self._part.progress[:] = 0
        self._items["item_spikes"][:] = 0
        lists = cut_lists(self._layer, np.array([0, len(time)]), address, time)
        if self._layer.patches is None:
            windows = cut(lists.sample_ptr, lists.time, lists.address, begin, until, self._neuron, self._constants,
                          settles=not self.fires_alone)
            shared = {**arguments(self._tiles, lists, self._constants), **windows._asdict()}
            run_to_end("exact_forward", {**shared, **self._items}, [self._part])
        else:
            shared = patch_arguments(self._tiles, lists, 1, self._neuron, self._constants)
            run_to_end("exact_patches_forward", {**shared, **self._items, "anew": False, "end": until}, [self._part])
        if self._part.progress[2] == 0:  # as in most of a stream's many short pieces
            return _NO_TIMES, _NOBODY
        _, fired, when = merged([self._part], self._items["item_spikes"], 1, begin, until)
        return when, fired

    def _longest_wait(self):
        """ms after which no psp can reach the threshold any more, if no input arrives."""
        a, b = (np.maximum(self._items["state"][:, STATE_PSP + row], 0.0) for row in (0, 1))
        tau, wait = self._neuron.tau_syn, self._neuron.tau_syn
        while np.any((a + b * wait) * math.exp(-wait / tau) >= self._tiles.theta):
            wait += tau
        return wait


class ExactNetwork:
    """A network without delays, run piece by piece: the layers one after the other over every piece."""

    def __init__(self, network):
        self._layers = [ExactLayer(layer, network.neuron, network.dt) for layer in network.layers]

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

"""What a chain of nodes adds up to: fields of a notation, with the weights, constant input and neurons of each."""

import math
from dataclasses import replace

import numpy as np

from eventsim.errors import EventsimError, FormatError
from eventsim.exchange.nir.delays import NONE, joined
from eventsim.exchange.nir.parts import Made, Pool, Synapses
from eventsim.model import LIF, Network

_AS_THEY_ARE = "eventsim's delays are of synapses that take spikes as they are; put neurons (IF or LIF) between the two"
_MOST_NEURONS = 10**8  # of a layer with a constant input, whose numbers are held one a neuron


class Builder:
    """Takes the nodes of a chain one by one.

    Attributes
    ----------
    space : (C, H, W) of what flows; of dense layers (N, 1, 1), of an input without space (1, 1, N)
    is_flat : whether it flows as (N,); None: the file says so, and the user that it need not
    scale : what everything since the last neurons has been multiplied with, beside the weights
    back : `Synapses` from the next neurons' own spikes, for a scale of 1
    notes : sentences for the user
    """

    def __init__(self, source, timing, sensor=None):
        self.source, self.timing, self.sensor = source, timing, sensor
        self.fields, self.layers, self.notes = [], [], []
        self.space, self.is_flat = (), False
        self.end = None  # what neurons that never spike are called
        self._forget()

    def _forget(self):
        """Nothing has come since the last neurons."""
        self.pool = self.synapses = self.back = None
        self.scale, self.delay, self.delay_after = 1.0, NONE, NONE

    def where(self, name, node) -> str:
        """How sentences call a node."""
        return f"{self.source}: node {name!r} ({type(node).__name__})"

    @property
    def shapes(self) -> tuple:
        """The shapes that what flows may have in the file."""
        flat = (math.prod(self.space),)
        return {True: (flat,), False: (self.space,), None: (flat, self.space)}[self.is_flat]

    def takes(self, field, space, is_flat):
        """The input."""
        self.fields.append(field)
        self.space, self.is_flat = space, is_flat

    def planes(self, where) -> tuple:
        """The space of what flows; raises `FormatError` where it is flat."""
        if self.is_flat:
            raise FormatError(f"{where} looks at planes, but gets the shape {self.shapes[0]}; export the network with "
                              "an Input of channels, height and width, or name them with --nir-input WxHxC")
        return self.space

    def pools(self, pool: Pool):
        """Pool what flows."""
        channels, *plane = self.planes(pool.where)
        if self.pool is not None or self.synapses is not None:
            raise FormatError(f"{pool.where} pools what no neurons have fired since the last pool or weights; put "
                              "neurons (IF or LIF) before it")
        if self.delay.any():
            raise FormatError(f"{pool.where} pools what is delayed, and {_AS_THEY_ARE}")
        sizes = [(n + 2 * pool.padding - pool.size) // pool.stride + 1 for n in plane]
        if min(sizes) < 1:
            raise FormatError(f"{pool.where} has a window of {pool.size} that does not fit {plane[1]}x{plane[0]}; use "
                              "a smaller one")
        self.pool, self.space, self.is_flat = pool, (channels, *sizes), False

    def stage(self, where):
        """Make the pool before weights, if there is one, a stage, which divides by the size of the window."""
        pool, self.pool = self.pool, None
        if pool is None:
            return
        if pool.padding or pool.stride != pool.size:
            raise FormatError(
                f"{pool.where} has a window of {pool.size}, a stride of {pool.stride} and a padding of {pool.padding}; "
                f"before the weights of {where.rpartition(': ')[2]} eventsim pools windows side by side: make stride "
                "and window equal and leave out the padding, or put neurons (IF or LIF) behind the pool"
            )
        self.fields.append(f"{pool.size}p")
        self.scale *= pool.weight * pool.size**2

    def weighs(self, where, synapses: Synapses, space, is_flat):
        """Weights, whose bias what came before does not scale."""
        if self.synapses is not None:
            raise FormatError(f"{where} follows other weights without neurons between; multiply the two, or put "
                              "neurons (IF or LIF) between")
        self.stage(where)
        if not self.scale > 0:
            raise FormatError(f"{where} gets input that counts {self.scale:g}, and eventsim needs more than 0; change "
                              "the sign of its weights instead")
        bias = synapses.bias
        if bias is not None:
            bias = bias / self.scale if bias.any() else None
        self.synapses, self.space, self.is_flat = replace(synapses, bias=bias), space, is_flat

    def delays(self, where, delay):
        """Delay what flows by so many ms, () or by neuron."""
        if self.pool is not None and delay.any():
            raise FormatError(f"{where} delays what was pooled, and {_AS_THEY_ARE}")
        if self.synapses is None:
            self.delay = self.delay + delay
        elif self.synapses.bias is None or not delay.any():
            self.delay_after = self.delay_after + delay
        else:
            raise FormatError(f"{where} delays a bias, which eventsim's neurons get from the start; put it before the "
                              "weights")

    def multiplies(self, factor):
        """Scale what flows."""
        if self.pool is not None:
            self.pool = replace(self.pool, weight=self.pool.weight * factor)
        else:
            self.scale *= factor

    def _connected(self, where):
        """The synapses before neurons: one to one, or those of a pool, where the file has no weights there."""
        if self.synapses is not None:
            return self.synapses
        pool = self.pool or Pool(where, 1, 1, 0, 1.0)
        if self.pool is None:
            pool, self.scale = Pool(where, 1, 1, 0, self.scale), 1.0
        channels = self.space[0]
        window = f"{pool.size}" + (f"s{pool.stride}" if pool.stride > 1 else "") + (
            f"p{pool.padding}" if pool.padding else "")
        return Synapses(f"{channels}c{window}" + (f"g{channels}" if channels > 1 else ""),
                        np.full((1, pool.size, pool.size, channels), pool.weight, np.float32), None)

    def fires(self, where, neuron_of):
        """Neurons, which ``neuron_of(scale)`` gives, and what their input counts: a layer is complete."""
        synapses, back = self._connected(where), self.back
        is_dense = synapses.weight.ndim == 2
        if (self.delay.any() or self.delay_after.any()) and not is_dense:
            raise FormatError(f"{where} gets delayed input, and eventsim has delays of dense layers; put Linear or "
                              "Affine between, or leave out the Delay")
        neuron, strength = neuron_of(self.scale)
        self.end = None if neuron.fires else where
        if self.end and (back is not None or self.delay.any() or self.delay_after.any()):
            raise FormatError(f"{where} never spikes, and eventsim reads potentials of neurons without delays or "
                              "recurrence; put IF or LIF in its place, or leave those out")
        if is_dense:
            delay = joined(self.delay, self.delay_after, len(synapses.weight))
            synapses = replace(synapses, delay=delay)
        if back is not None:
            synapses, back = self._returned(synapses, back)
            back = self._strengthened(where, back, strength)
        made = Made(where, self._strengthened(where, synapses, strength), back, neuron)
        self.fields.append(made.field)
        self.layers.append(made)
        self._forget()

    def _returned(self, synapses, back):
        """Synapses with the bias of those back, and those without it, on the scale of the others."""
        with np.errstate(over="ignore"):
            weight = back.weight if self.scale == 1.0 else (back.weight / self.scale).astype(np.float32)
        if back.bias is not None:
            bias = back.bias / self.scale + (0.0 if synapses.bias is None else synapses.bias)
            synapses = replace(synapses, bias=bias)
        return synapses, replace(back, weight=weight, bias=None)

    def _strengthened(self, where, synapses, strength):
        """Synapses whose weights have taken over the strength of every neuron."""
        if strength is None:
            return synapses
        strength = strength.reshape(self.space[0], -1)
        if (strength != strength[:, :1]).any():
            raise FormatError(f"{where} has numbers that differ within a channel; give the neurons of a channel one")
        bias = None if synapses.bias is None else synapses.bias * strength[:, 0]
        with np.errstate(over="ignore"):
            return replace(synapses, weight=(synapses.weight * strength[:, 0]).astype(np.float32), bias=bias)

    def network(self) -> Network:
        """The network of everything taken; raises `FormatError` where eventsim cannot have it."""
        if not self.layers or self.pool is not None or self.synapses is not None:
            raise FormatError(f"{self.source}: does not end with neurons; put IF or LIF at its end, or LI")
        neurons = [made.neuron for made in self.layers if made.neuron.fires] or [LIF()]
        notation = "-".join(self.fields)
        try:
            network = Network(notation, neurons[0], dt=self.timing.dt, seed=None)
        except EventsimError as error:
            raise FormatError(f"{self.source}: as the architecture {notation} eventsim cannot have it: {error}"
                              ) from None
        for layer, made in zip(network.layers, self.layers, strict=True):
            try:
                for part, synapses in zip(layer.projections, (made.synapses, made.back), strict=False):
                    part.weight = synapses.weight
                    if layer.kind in ("dense", "recurrent"):
                        part.delay = synapses.delay
            except EventsimError as error:
                raise FormatError(f"{made.where} gets weights or delays that eventsim cannot have: {error}") from None
            layer.neuron = None if made.neuron == network.neuron else made.neuron
            layer.bias = self._bias(made.where, made.synapses.bias, layer)
        return network

    @staticmethod
    def _bias(where, bias, layer):
        if bias is None:
            return None
        if not np.isfinite(bias).all() or np.abs(bias).max() > 1e18:
            raise FormatError(f"{where} gets a bias that is not finite, or too large; export the file with another")
        if layer.n_out > _MOST_NEURONS:
            raise FormatError(f"{where} has {layer.n_out} neurons, more than {_MOST_NEURONS}; use a smaller input")
        return np.repeat(bias.astype(np.float64), layer.n_out // len(bias))

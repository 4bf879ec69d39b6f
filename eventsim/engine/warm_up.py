"""Lets kernels compile before a clock runs: by the types of what they get, not by its size, so a tiny network does."""

from eventsim.engine.simulate import run
from eventsim.engine.stream import Stream
from eventsim.events import Events
from eventsim.model import Network
from eventsim.spikes import Spikes

# A weight with which one spike makes a neuron fire, so that spikes reach every kernel.
_ENOUGH = 100.0


def tiny(clock="grid", immediate=True):
    """A network of three neurons, and one input spike on a clock that makes all of them fire.

    It has recurrence and a delay where it is not ``immediate``.
    """
    network = Network("2-2-1" if immediate else "2-2r-1@d1", n_ticks=9, seed=None)
    for layer in network.layers:
        layer.weight = [[_ENOUGH] * layer.n_out] * layer.n_in
    when = {"time": [0.0]} if clock == "exact" else {"tick": [0]}
    return network, Spikes([0, 1], [0], **when, n_neurons=2, n_ticks=9)


def warm_up(clock="grid", weights="float32", immediate=True):
    """Compile, or load, everything that inference runs on a clock with weights of a precision.

    immediate : `Network.is_immediate` of what is to be run; layers with delays or recurrence have kernels of their own
    """
    for network, spikes in [tiny(clock)] if immediate else [tiny(clock), tiny(clock, immediate=False)]:
        run(network.with_weights(weights), spikes)


def warm_up_stream(immediate=True):
    """The same for a stream."""
    network, _ = tiny(immediate=immediate)
    stream = Stream(network)
    stream.push(Events([0], [0], [0], [0], network.sensor))
    stream.finish()

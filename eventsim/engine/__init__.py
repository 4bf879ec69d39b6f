"""Running networks: forward on either clock, streams, and the backward walk."""

from eventsim.engine.active import ActiveSet
from eventsim.engine.backward import backward
from eventsim.engine.forward import forward
from eventsim.engine.potential import Membrane, membranes, potentials
from eventsim.engine.simulate import run, simulate
from eventsim.engine.sink import Sink
from eventsim.engine.stream import Stream
from eventsim.engine.trace import LayerTrace, Trace

__all__ = [
    "ActiveSet", "LayerTrace", "Membrane", "Sink", "Stream", "Trace", "backward", "forward", "membranes", "potentials",
    "run", "simulate",
]

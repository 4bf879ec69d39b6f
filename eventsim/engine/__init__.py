"""Running networks: forward on either clock, and the backward walk."""

from eventsim.engine.backward import Sink, backward
from eventsim.engine.forward import forward
from eventsim.engine.simulate import run, simulate
from eventsim.engine.trace import ActiveSet, LayerTrace, Trace

__all__ = ["ActiveSet", "LayerTrace", "Sink", "Trace", "backward", "forward", "run", "simulate"]

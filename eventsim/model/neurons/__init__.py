"""Neuron models: a file each, and a line here."""

from eventsim.model.neurons.lif import LIF, CubaLIF
from eventsim.model.neurons.srm import SRM

NEURONS = {"srm": SRM, "lif": LIF, "cubalif": CubaLIF}

__all__ = ["LIF", "NEURONS", "SRM", "CubaLIF"]

"""Neuron models: a file each, and a line here."""

from eventsim.model.neurons.srm import SRM

NEURONS = {"srm": SRM}

__all__ = ["NEURONS", "SRM"]

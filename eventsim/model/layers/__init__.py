"""Layers: a file each, and a line here."""

from eventsim.model.layers.dense import Dense

LAYERS = {"dense": Dense}

__all__ = ["LAYERS", "Dense"]

"""Layers: a file each, and a line here."""

from eventsim.model.layers.dense import Dense
from eventsim.model.layers.sparse import Sparse

LAYERS = {"dense": Dense, "sparse": Sparse}

__all__ = ["LAYERS", "Dense", "Sparse"]

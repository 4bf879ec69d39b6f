"""Layers: a file each, and a line here."""

from eventsim.model.layers.dense import Dense
from eventsim.model.layers.recurrent import Recurrent
from eventsim.model.layers.sparse import Sparse

LAYERS = {"dense": Dense, "recurrent": Recurrent, "sparse": Sparse}

__all__ = ["LAYERS", "Dense", "Recurrent", "Sparse"]

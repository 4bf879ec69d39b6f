"""Layers: a file each, and a line here."""

from eventsim.model.layers.conv import Conv, SumPool
from eventsim.model.layers.dense import Dense
from eventsim.model.layers.recurrent import Recurrent
from eventsim.model.layers.sparse import Sparse

LAYERS = {"dense": Dense, "recurrent": Recurrent, "sparse": Sparse, "conv": Conv, "pool": SumPool}

__all__ = ["LAYERS", "Conv", "Dense", "Recurrent", "Sparse", "SumPool"]

"""Stages: what becomes of a layer's spikes on their way to the synapses of the next; a file each, and a line here.

They have no neurons. After them a spike may be one of another address and count more or less than 1, and there may be a
constant input besides.
"""

from eventsim.model.stages.average_pool import AveragePool
from eventsim.model.stages.batch_norm import BatchNorm
from eventsim.model.stages.dropout import Dropout

STAGES = {"average_pool": AveragePool, "batch_norm": BatchNorm, "dropout": Dropout}

__all__ = ["STAGES", "AveragePool", "BatchNorm", "Dropout"]

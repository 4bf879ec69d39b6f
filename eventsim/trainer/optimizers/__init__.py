"""Optimisers: a file each, and a line here."""

from eventsim.trainer.optimizers.adam import Adam
from eventsim.trainer.optimizers.adamw import AdamW
from eventsim.trainer.optimizers.base import Optimizer
from eventsim.trainer.optimizers.nadam import NAdam
from eventsim.trainer.optimizers.sgd import SGD

OPTIMIZERS = {"adam": Adam, "adamw": AdamW, "nadam": NAdam, "sgd": SGD}

__all__ = ["OPTIMIZERS", "SGD", "Adam", "AdamW", "NAdam", "Optimizer"]

"""Optimisers: a file each, and a line here."""

from eventsim.trainer.optimizers.adam import Adam

OPTIMIZERS = {"adam": Adam}

__all__ = ["OPTIMIZERS", "Adam"]

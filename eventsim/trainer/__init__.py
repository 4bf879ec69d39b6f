"""Training: the loop, losses, optimisers, checkpoints."""

from eventsim.trainer.checkpoint import load, newest_run, save
from eventsim.trainer.config import TrainingConfig
from eventsim.trainer.interrupt import Interrupted
from eventsim.trainer.loop import Observer, Trainer, evaluate

__all__ = ["Interrupted", "Observer", "Trainer", "TrainingConfig", "evaluate", "load", "newest_run", "save"]

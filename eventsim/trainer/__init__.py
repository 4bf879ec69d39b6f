"""Training: the loop, losses, optimisers, checkpoints."""

from eventsim.trainer.checkpoint import load, newest_run, save
from eventsim.trainer.config import TrainingConfig
from eventsim.trainer.interrupt import Interrupted
from eventsim.trainer.loop import Trainer, evaluate
from eventsim.trainer.observer import Observer

__all__ = ["Interrupted", "Observer", "Trainer", "TrainingConfig", "evaluate", "load", "newest_run", "save"]

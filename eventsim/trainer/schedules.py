"""Learning-rate schedules: shares of the full rate, by the epoch as a float from 0 and the settings of the training.

The settings are those of a `TrainingConfig`, whose ``epochs`` are where the training ends. A rate depends on nothing
else, so a run that is resumed goes on as if it had not stopped.
"""

import math


def constant(epoch: float, settings) -> float:
    """The full rate throughout."""
    return 1.0


def cosine(epoch: float, settings) -> float:
    """From the full rate to zero over what the warm-up leaves, along half a cosine (Loshchilov & Hutter 2017)."""
    done = (epoch - settings.warmup) / (settings.epochs - settings.warmup)
    return 0.5 * (1.0 + math.cos(math.pi * done))


def step(epoch: float, settings) -> float:
    """Times ``step_factor`` at each of ``step_epochs``."""
    return settings.step_factor ** sum(epoch >= at for at in settings.step_epochs)


SCHEDULES = {"constant": constant, "cosine": cosine, "step": step}
# Settings that only some schedules have, and their defaults; None where one has to be given.
SCHEDULE_SETTINGS = {"step": {"step_epochs": None, "step_factor": 0.1}}


def rate_at(epoch: float, settings) -> float:
    """Learning rate at an epoch: up to where the schedule starts in proportion to the epoch, then the schedule's."""
    share = SCHEDULES[settings.schedule](max(epoch, settings.warmup), settings)
    if epoch < settings.warmup:
        share *= epoch / settings.warmup
    return settings.learning_rate * share

"""Learning-rate schedules: functions of the share of the training that is done, 0 to 1."""

import math


def constant(done: float) -> float:
    """The full rate throughout."""
    return 1.0


def cosine(done: float) -> float:
    """From the full rate to zero along half a cosine (Loshchilov & Hutter 2017, without restarts)."""
    return 0.5 * (1.0 + math.cos(math.pi * done))


SCHEDULES = {"constant": constant, "cosine": cosine}

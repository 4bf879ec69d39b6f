"""Optimiser steps on rows of 64 weights: one pass over memory, in place."""

import numpy as np

from eventsim.kernels.cpu.jit import kernel
from eventsim.kernels.cpu.vector import announce, flush_subnormals, load, restore_subnormals, splat, sqrt, store, zeros
from eventsim.kernels.status import Status

_OK = np.int32(Status.OK)
# Indices into the float32 vector of settings: learning rate over 1 - beta1^step, decay of the mean and what it takes
# in, the same of the squares, 1 / sqrt(1 - beta2^step), and epsilon.
RATE, KEEP_MEAN, ADD_MEAN, KEEP_SQUARE, ADD_SQUARE, ROOT, EPSILON = range(7)
# Rows that are asked for before their turn: memory takes about as long as the work on so many.
_AHEAD = 3


@kernel
def announce_rows(row, n_rows, weight, mean, square):
    """Ask for what the step of a row some way ahead of ``row`` will read."""
    ahead = min(row + _AHEAD, n_rows - 1)
    announce(weight, ahead)
    announce(mean, ahead)
    announce(square, ahead)


@kernel
def adam_row(row, gradient, settings, weight, mean, square):
    """Adam (Kingma & Ba 2015, algorithm 1) on one row of weights, and of their moments, by their gradient."""
    m = splat(settings[KEEP_MEAN]) * load(mean, row) + splat(settings[ADD_MEAN]) * gradient
    v = splat(settings[KEEP_SQUARE]) * load(square, row) + splat(settings[ADD_SQUARE]) * (gradient * gradient)
    store(m, mean, row)
    store(v, square, row)
    change = splat(settings[RATE]) * m / (sqrt(v) * splat(settings[ROOT]) + splat(settings[EPSILON]))
    store(load(weight, row) - change, weight, row)


@kernel
def adam_step(first, last, settings, weight, gradient, mean, square):
    """Adam on the rows first..last-1 of float32[R, 64]; the gradient is set to zero on the way."""
    mode = flush_subnormals()  # as the backward pass does, so that both give the same bits
    for row in range(first, last):
        adam_row(row, load(gradient, row), settings, weight, mean, square)
        store(zeros(), gradient, row)
    restore_subnormals(mode)
    return _OK

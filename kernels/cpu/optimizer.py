"""Optimiser steps on rows of 64 weights: one pass over memory, in place."""

import numpy as np

from eventsim.kernels.cpu.jit import kernel
from eventsim.kernels.cpu.vector import announce, flush_subnormals, load, restore_subnormals, splat, sqrt, store, zeros
from eventsim.kernels.status import Status

_OK = np.int32(Status.OK)
# Indices into the float32 vector of settings. Of every optimiser: learning rate (Adam's over 1 - beta1^step), decay of
# the mean. Of Adam and its kin: what the mean takes in, decay of the squares and what they take in,
# 1 / sqrt(1 - beta2^step), epsilon, what of the mean and of the gradient the weight follows, and the share of itself
# that it loses.
RATE, KEEP_MEAN, ADD_MEAN, KEEP_SQUARE, ADD_SQUARE, ROOT, EPSILON, OF_MEAN, OF_GRADIENT, DECAY = range(10)
# Rows that are asked for before their turn: memory takes about as long as the work on so many.
_AHEAD = 3


@kernel
def announce_row(row, n_rows, rows):
    """Ask for what the step of a row some way ahead of ``row`` will read."""
    announce(rows, min(row + _AHEAD, n_rows - 1))


@kernel
def adam_row(row, gradient, settings, weight, mean, square):
    """Adam (Kingma & Ba 2015, algorithm 1) on one row of weights, and of their moments, by their gradient.

    So are AdamW, which DECAY makes of it, and NAdam, by OF_MEAN and OF_GRADIENT; in Adam they are 0, 1 and 0, which
    leaves every bit as it is without them.
    """
    m = splat(settings[KEEP_MEAN]) * load(mean, row) + splat(settings[ADD_MEAN]) * gradient
    v = splat(settings[KEEP_SQUARE]) * load(square, row) + splat(settings[ADD_SQUARE]) * (gradient * gradient)
    store(m, mean, row)
    store(v, square, row)
    old = load(weight, row)
    ahead = splat(settings[OF_MEAN]) * m + splat(settings[OF_GRADIENT]) * gradient
    change = splat(settings[RATE]) * ahead / (sqrt(v) * splat(settings[ROOT]) + splat(settings[EPSILON]))
    store(old - (change + splat(settings[DECAY]) * old), weight, row)


@kernel
def sgd_row(row, gradient, settings, weight, velocity):
    """Gradient descent with momentum on one row of weights, by their gradient."""
    v = splat(settings[KEEP_MEAN]) * load(velocity, row) + gradient
    store(v, velocity, row)
    store(load(weight, row) - splat(settings[RATE]) * v, weight, row)


@kernel
def adam_step(first, last, settings, weight, gradient, mean, square):
    """Adam and its kin on the rows first..last-1 of float32[R, 64]; the gradient is set to zero on the way."""
    mode = flush_subnormals()  # as the backward pass does, so that both give the same bits
    for row in range(first, last):
        adam_row(row, load(gradient, row), settings, weight, mean, square)
        store(zeros(), gradient, row)
    restore_subnormals(mode)
    return _OK


@kernel
def sgd_step(first, last, settings, weight, gradient, velocity):
    """Gradient descent on the rows first..last-1 of float32[R, 64]; the gradient is set to zero on the way."""
    mode = flush_subnormals()
    for row in range(first, last):
        sgd_row(row, load(gradient, row), settings, weight, velocity)
        store(zeros(), gradient, row)
    restore_subnormals(mode)
    return _OK

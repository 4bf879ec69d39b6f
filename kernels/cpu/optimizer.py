"""Optimiser steps: one pass over memory, in place."""

import numpy as np

from eventsim.kernels.cpu.jit import kernel
from eventsim.kernels.status import Status

_OK = np.int32(Status.OK)


@kernel
def adam_step(first, last, rate, beta1, beta2, bias1, bias2, epsilon, weight, gradient, mean, square):
    """Adam (Kingma & Ba 2015, algorithm 1) on entries first..last-1; the gradient is set to zero on the way.

    bias1 = 1 - beta1^step and bias2 = 1 - beta2^step correct the moments' start at zero.
    """
    one = np.float32(1.0)
    for i in range(first, last):
        g = gradient[i]
        m = beta1 * mean[i] + (one - beta1) * g
        v = beta2 * square[i] + (one - beta2) * (g * g)
        mean[i] = m
        square[i] = v
        weight[i] -= rate * (m / bias1) / (np.sqrt(v / bias2) + epsilon)
        gradient[i] = np.float32(0.0)
    return _OK

"""Optimisers as printed, float64."""

import numpy as np


def adam(weight, gradients, rate, beta1, beta2, epsilon):
    """Kingma & Ba 2015, algorithm 1: the weight after one step for each gradient."""
    m, v = np.zeros(weight.shape), np.zeros(weight.shape)
    for step, g in enumerate(gradients, 1):
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        m_hat = m / (1 - beta1**step)
        v_hat = v / (1 - beta2**step)
        weight = weight - rate * m_hat / (np.sqrt(v_hat) + epsilon)
    return weight

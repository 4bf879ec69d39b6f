"""Optimisers as printed, float64: each gives the weight after one step for each gradient."""

import numpy as np


def adam(weight, gradients, rate, beta1=0.9, beta2=0.999, epsilon=1e-8, weight_decay=0.0):
    """Kingma & Ba 2015, algorithm 1; with weight decay Loshchilov & Hutter 2019, algorithm 2."""
    m, v = np.zeros(weight.shape), np.zeros(weight.shape)
    for step, g in enumerate(gradients, 1):
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        m_hat = m / (1 - beta1**step)
        v_hat = v / (1 - beta2**step)
        weight = weight - rate * (m_hat / (np.sqrt(v_hat) + epsilon) + weight_decay * weight)
    return weight


def nadam(weight, gradients, rate, beta1=0.9, beta2=0.999, epsilon=1e-8):
    """slayerPytorch's ``optimizer.Nadam``: the numerator looks one step ahead, and only the rate is corrected."""
    m, v = np.zeros(weight.shape), np.zeros(weight.shape)
    for step, g in enumerate(gradients, 1):
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        step_size = rate * np.sqrt(1 - beta2**step) / (1 - beta1**step)
        weight = weight - step_size * (beta1 * m + (1 - beta1) * g) / (np.sqrt(v) + epsilon)
    return weight


def sgd(weight, gradients, rate, momentum=0.9):
    """Gradient descent with momentum."""
    velocity = np.zeros(weight.shape)
    for g in gradients:
        velocity = momentum * velocity + g
        weight = weight - rate * velocity
    return weight

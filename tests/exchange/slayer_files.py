"""State dicts as slayerPytorch and lava-dl name and shape them."""

import numpy as np


def dense(rng, given, n_out):
    """Weights of slayerPytorch's dense for neurons of the shape (C, H, W), or for so many."""
    return rng.normal(size=(n_out, *(given if isinstance(given, tuple) else (given, 1, 1)), 1)).astype(np.float32)


def cnn(rng, theta=10.0):
    """The state dict of a network 6x6x2-3c3-2a-5, in the order of its modules: pools after convolutions."""
    return {
        "conv1.weight": rng.normal(size=(3, 2, 3, 3, 1)).astype(np.float32),
        "fc1.weight": dense(rng, (3, 2, 2), 5),
        "pool1.weight": np.full((1, 1, 2, 2, 1), 1.1 * theta, np.float32),
    }

"""The surrogate of the spike function's derivative, rho(u) = peak exp(-|u - theta| / width)."""

import numpy as np

from eventsim.kernels.cpu.jit import kernel


@kernel
def surrogate(u, theta, width, peak):
    """Replace potentials float32[K] by rho of them, in place.

    The exponential is 2^n times a polynomial (the coefficients of the Cephes library, relative error below 2e-7), so it
    vectorises and gives the same bits on every machine, which a C library's does not.
    """
    for i in range(len(u)):
        x = max(-abs(u[i] - theta) / width, np.float32(-87.0))
        n = np.floor(x * np.float32(1.44269504) + np.float32(0.5))
        r = (x - n * np.float32(0.693359375)) + n * np.float32(2.12194440e-4)
        y = np.float32(1.9875691500e-4)
        y = y * r + np.float32(1.3981999507e-3)
        y = y * r + np.float32(8.3334519073e-3)
        y = y * r + np.float32(4.1665795894e-2)
        y = y * r + np.float32(1.6666665459e-1)
        y = y * r + np.float32(5.0000001201e-1)
        y = y * (r * r) + r + np.float32(1.0)
        power = np.int32((np.int32(n) + np.int32(127)) << np.int32(23)).view(np.float32)
        u[i] = peak * y * power

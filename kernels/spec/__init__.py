"""The table of kernels: name, file, and every argument with its type, rank and role.

Argument checks, the scalar casts of GPU launches and the mirror tests are derived from it.
"""

from eventsim.kernels.spec import exact, grid, readout, recordings, space

KERNELS = grid.KERNELS | space.KERNELS | recordings.KERNELS | exact.KERNELS | readout.KERNELS

__all__ = ["KERNELS"]

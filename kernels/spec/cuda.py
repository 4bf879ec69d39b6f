"""Kernels on a GPU: their arguments, as in the tables of those on the CPU, and how many threads run them.

They bear the names of the CPU's kernels and functions of which they do the work, and what both take stands in the same
order. There are no arguments for buffers that grow: lists are counted, their starts summed up, and then filled.
"""

from eventsim.kernels.spec import cuda_adjoint, cuda_exact, cuda_layers, cuda_lists, cuda_sparse, cuda_weights

KERNELS = (cuda_lists.KERNELS | cuda_weights.KERNELS | cuda_layers.KERNELS | cuda_adjoint.KERNELS
           | cuda_exact.KERNELS | cuda_sparse.KERNELS)

__all__ = ["KERNELS"]

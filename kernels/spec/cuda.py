"""Kernels on a GPU: their arguments, as in the tables of those on the CPU, and how many threads run them.

They bear the names of the CPU's kernels and functions of which they do the work, and what both take stands in the same
order. There are no arguments for buffers that grow: lists are counted, their starts summed up, and then filled.
"""

from eventsim.kernels.spec import (
    cuda_adjoint,
    cuda_exact,
    cuda_groups,
    cuda_layers,
    cuda_lists,
    cuda_machine,
    cuda_sparse,
    cuda_times,
    cuda_weights,
)

_TABLES = (cuda_lists, cuda_groups, cuda_weights, cuda_layers, cuda_sparse, cuda_adjoint, cuda_exact, cuda_times,
           cuda_machine)
KERNELS = {name: kernel for table in _TABLES for name, kernel in table.KERNELS.items()}

__all__ = ["KERNELS"]

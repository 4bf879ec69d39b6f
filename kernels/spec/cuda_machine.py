"""Kernels on a GPU that measure it."""

from eventsim.kernels.spec.cuda_launch import CudaKernel, launched

KERNELS: dict[str, CudaKernel] = {}

KERNELS["read_rows"] = launched("bandwidth", "n_parts", """
    int64: n_parts n_rows repeats
    float32[rows,lanes]: rows
    out float32[rows,lanes]: total
""", threads=256)

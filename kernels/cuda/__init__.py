"""Kernels on a GPU, in CUDA C++. A file of them stands for each of `kernels.cpu` whose work they do."""

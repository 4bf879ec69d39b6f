"""The compiled core. Kernels take arrays and scalars, allocate nothing and know nothing of the rest of the package."""

from eventsim.kernels.launch import call, call_parts, set_threads, threads

__all__ = ["call", "call_parts", "set_threads", "threads"]

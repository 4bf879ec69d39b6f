"""The one place where kernels are compiled: options, and where the compiled code is cached.

Numba's own cache looks only at the file of the function it caches, so an edit in a helper's file would be served stale
code. Here the cache folder is named by a hash of *all* kernel sources and of what compiles them and how; it lies in
the user's cache folder (or ``NUMBA_CACHE_DIR``), so a read-only installation caches too.
"""

import functools
import hashlib
import os
import pathlib
import tempfile

import llvmlite
import numba
import platformdirs
from numba.core import caching

_HERE = pathlib.Path(__file__).parent


@functools.cache
def _source_stamp() -> str:
    digest = hashlib.sha256(f"{numba.__version__} {llvmlite.__version__} {numba.config.BOUNDSCHECK}".encode())
    # The constants of the folder above are compiled in as well.
    for path in (*sorted(_HERE.parent.glob("*.py")), *sorted(_HERE.glob("*.py"))):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


@functools.cache
def cache_folder() -> str | None:
    """Folder of the compiled code, or None where no folder can be written (then every process compiles)."""
    root = os.environ.get("NUMBA_CACHE_DIR") or platformdirs.user_cache_dir("eventsim", appauthor=False)
    folder = os.path.join(root, f"kernels-{_source_stamp()}")
    try:
        os.makedirs(folder, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError:
        return None


class _Locator(caching._CacheLocator):
    def __init__(self, py_func):
        self._name = py_func.__qualname__

    def get_cache_path(self):
        return cache_folder()

    def get_source_stamp(self):
        return _source_stamp()

    def get_disambiguator(self):
        return self._name

    @classmethod
    def from_function(cls, py_func, py_file):
        return cls(py_func) if cache_folder() else None


class _CacheImpl(caching.CompileResultCacheImpl):
    _locator_classes = (_Locator,)


class _Cache(caching.Cache):
    _impl_class = _CacheImpl


def inlined(function):
    """`kernel` for what runs in an inner loop: an array is handed to a function as seven numbers, a dozen as eighty."""
    return _compiled(function, forceinline=True)


def kernel(function):
    """Compile on first call; IEEE arithmetic, so that threshold decisions are those of the written order.

    Kernels allocate nothing, so Numba's run time is left out: counting references to arrays within a loop took a third
    of the sweep's time, most of it for saving the vector registers around the call.
    """
    return _compiled(function)


def _compiled(function, **options):
    dispatcher = numba.njit(nogil=True, error_model="numpy", _nrt=False, **options)(function)
    if cache_folder():
        dispatcher._cache = _Cache(function)
    return dispatcher

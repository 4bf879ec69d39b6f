"""Compiles the kernels' sources for the host, once for every content of them."""

import concurrent.futures
import ctypes
import functools
import hashlib
import os
import pathlib
import shutil
import subprocess
import tempfile

import platformdirs

from eventsim.kernels.cuda import source
from eventsim.kernels.spec.cuda import KERNELS

_HEADER = pathlib.Path(__file__).with_name("shim.h")
# No fused operations but those that are written, as GPUs get it; setjmp, which switches fibers, unchecked.
_OPTIONS = ("-x", "c++", "-std=c++14", "-O2", "-fno-strict-aliasing", "-ffp-contract=off", "-fno-math-errno",
            "-U_FORTIFY_SOURCE", "-Wall", "-Wextra", "-Werror", "-Wno-unused-function", "-Wno-unknown-pragmas",
            "-shared", "-fPIC")
_TYPES = {"int8": "i8", "uint8": "u8", "uint16": "u16", "int32": "i32", "int64": "i64", "uint64": "u64",
          "float32": "float", "float64": "double"}
_SCALARS = {"i64": ctypes.c_int64, "float": ctypes.c_float, "double": ctypes.c_double}


def find_compiler() -> str | None:
    """A C++ compiler, or None."""
    names = (os.environ.get("CXX"), "g++", "c++", "clang++")
    return next((found for name in names if name and (found := shutil.which(name))), None)


def _declared(argument):
    kind = _TYPES[str(argument.dtype)]
    if argument.rank == 0:
        return f"{kind} {argument.name}"
    return f"{'' if argument.role == 'out' else 'const '}{kind}* {argument.name}"


def _launcher(name, kernel):
    """A function that launches a kernel; it compiles only if the kernel has exactly the arguments of the table."""
    declared = ", ".join(map(_declared, kernel.arguments))
    names = ", ".join(argument.name for argument in kernel.arguments)
    return (
        f"static_assert(std::is_same<decltype(&{name}), void (*)({declared})>::value,\n"
        f'              "{name} is not as its table");\n'
        f'extern "C" int launch_{name}(i64 blocks, int threads, int descending, {declared})\n'
        f"{{\n    return shim::launch(blocks, threads, descending, [=] {{ {name}({names}); }});\n}}\n"
    )


def text() -> str:
    """All that is compiled."""
    return program("\n".join(map(source.kernels_of, source.files())), KERNELS)


def program(code, kernels) -> str:
    """What is compiled of kernels and their table."""
    launchers = [_launcher(name, kernel) for name, kernel in kernels.items()]
    return "\n".join([_HEADER.read_text(), source.shared(), code, *launchers])


@functools.cache
def begin():
    """Begin to compile the kernels, which takes a while, on another thread; a `Future` of the library."""
    executor = concurrent.futures.ThreadPoolExecutor(1)
    future = executor.submit(compiled, text())
    executor.shutdown(wait=False)
    return future


def library():
    """The compiled kernels."""
    return begin().result()


def compiled(code):
    """The library of a source; kept in a cache folder by a hash of what it is made from."""
    compiler = find_compiler()
    stamp = hashlib.sha256(f"{compiler} {_OPTIONS} {code}".encode()).hexdigest()[:16]
    root = os.environ.get("NUMBA_CACHE_DIR") or platformdirs.user_cache_dir("eventsim", appauthor=False)
    path = pathlib.Path(root) / f"cuda-shim-{stamp}.so"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            made = pathlib.Path(folder) / "made.so"
            done = subprocess.run([compiler, *_OPTIONS, "-", "-o", str(made)], input=code, text=True,
                                  capture_output=True)
            if done.returncode:
                raise AssertionError(f"the CUDA kernels do not compile for the host:\n{done.stderr}")
            os.replace(made, path)  # whoever else makes it makes the same
    return ctypes.CDLL(str(path))


@functools.cache
def launcher(name):
    """The function that launches a kernel."""
    function = getattr(library(), f"launch_{name}")
    function.argtypes = types_of(KERNELS[name])
    return function


def types_of(kernel) -> list:
    """Types of a launcher's arguments: blocks, threads, their order, and the kernel's own."""
    own = [_SCALARS[_TYPES[str(a.dtype)]] if a.rank == 0 else ctypes.c_void_p for a in kernel.arguments]
    return [ctypes.c_int64, ctypes.c_int, ctypes.c_int, *own]

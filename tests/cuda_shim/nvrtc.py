"""NVRTC, which compiles CUDA where there is no GPU: from the package nvidia-cuda-nvrtc-cu12, or a CUDA toolkit."""

import ctypes
import ctypes.util
import functools
import importlib.util
import pathlib

# What CuPy compiles for is the device at hand; this is the oldest that CUDA 12 and 13 both know, and the newest habits
# that the kernels have.
_ARCHITECTURE = "--gpu-architecture=compute_75"


@functools.cache
def library():
    """The library, or None where there is none."""
    package = importlib.util.find_spec("nvidia") and importlib.util.find_spec("nvidia.cuda_nvrtc")
    for folder in package.submodule_search_locations if package else ():
        for path in sorted(pathlib.Path(folder, "lib").glob("libnvrtc.so*")):
            return ctypes.CDLL(str(path))
    found = ctypes.util.find_library("nvrtc")
    return ctypes.CDLL(found) if found else None


def ptx_of(source, options):
    """PTX of a source; raises `AssertionError` with the compiler's log where it does not compile, or warns."""
    nvrtc, program = library(), ctypes.c_void_p()
    text = source.encode()
    assert nvrtc.nvrtcCreateProgram(ctypes.byref(program), text, b"kernels.cu", 0, None, None) == 0
    given = [option.encode() for option in (*options, _ARCHITECTURE)]
    status = nvrtc.nvrtcCompileProgram(program, len(given), (ctypes.c_char_p * len(given))(*given))
    log = _text(nvrtc.nvrtcGetProgramLogSize, nvrtc.nvrtcGetProgramLog, program)
    assert status == 0 and not log.strip(), log
    out = _text(nvrtc.nvrtcGetPTXSize, nvrtc.nvrtcGetPTX, program)
    nvrtc.nvrtcDestroyProgram(ctypes.byref(program))
    return out


def _text(size_of, get, program):
    size = ctypes.c_size_t()
    assert size_of(program, ctypes.byref(size)) == 0
    buffer = ctypes.create_string_buffer(size.value)
    assert get(program, buffer) == 0
    return buffer.value.decode()

"""Files of named arrays, as state dicts are saved: NumPy's, safetensors, and torch's without running what they hold."""

import errno
import warnings
import zipfile
import zlib

import numpy as np

from eventsim import files
from eventsim.errors import ConfigError, FormatError

_MOST_ARRAYS = 10_000
_MOST_BYTES = 1 << 34  # of an array, 16 GiB


def read_arrays(path) -> dict:
    """Arrays of numbers by their names, in the order of the file; that of safetensors is by their names.

    path : .npz, .safetensors, .pt or .pth

    No pickle is executed. Raises `FormatError` for files that are damaged or hold something else, `ConfigError` for
    other names and where the package that reads them is missing.
    """
    path = files.as_path(path)
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise ConfigError(f"{path}: weights are read from {', '.join(READERS)}; save the state dict as one of these")
    with files.reading(path):
        path.open("rb").close()  # what the operating system refuses is said in its own words
        arrays = reader(path)
    if not arrays:
        raise FormatError(f"{path}: holds no arrays; save a state dict")
    return {name: _numbers(path, name, array) for name, array in arrays.items()}


def _numbers(path, name, array):
    """An array, if it is one of finite numbers."""
    if array.dtype.kind not in "iufb":
        raise FormatError(f"{path}: {name} holds {array.dtype}, expected numbers; leave it out")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise FormatError(f"{path}: {name} holds numbers that are not finite; train again, or leave it out")
    return array


def _damaged(path, error):
    said = " ".join(str(error).split())[:160] or type(error).__name__
    return FormatError(f"{path}: is damaged or not what its name says ({said}); save the state dict again")


def _npz(path):
    """NumPy's archive; arrays of objects, which would be pickles, are refused."""
    out = {}
    try:
        with zipfile.ZipFile(path) as archive:
            members = [info for info in archive.infolist() if not info.is_dir()]
            if len(members) > _MOST_ARRAYS:
                raise FormatError(f"{path}: holds {len(members):,} arrays, more than a network has; save a state dict")
            for info in members:
                name = info.filename.removesuffix(".npy")
                if name in out:
                    raise FormatError(f"{path}: holds {name} twice; save the state dict again")
                with archive.open(info) as member:
                    out[name] = _member(path, name, member, info.file_size)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError, UnicodeError) as error:
        raise _damaged(path, error) from None
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        raise _damaged(path, "a place before its beginning") from None  # to which a damaged directory points
    return out


def _member(path, name, member, size):
    """One array of an archive, whose header is checked before room is made."""
    header = np.lib.format
    try:
        version = header.read_magic(member)
        read = {(1, 0): header.read_array_header_1_0, (2, 0): header.read_array_header_2_0}.get(version)
        if read is None:
            raise ValueError(f"NumPy's format {version[0]}.{version[1]}")
        with warnings.catch_warnings(action="ignore"):  # of headers that Python 2 wrote
            shape, in_columns, dtype = read(member)
        if dtype.hasobject:
            raise FormatError(f"{path}: {name} holds Python objects, which are never loaded; save arrays of numbers")
        n_bytes = dtype.itemsize
        for n in shape:
            n_bytes *= n
        if min(shape, default=0) < 0 or not n_bytes <= min(size, _MOST_BYTES):
            raise ValueError(f"{name} of the shape {shape} in {size:,} bytes")
        data = member.read(n_bytes)
        if len(data) < n_bytes:
            raise ValueError(f"{name} ends early")
        return np.frombuffer(data, dtype).reshape(shape, order="F" if in_columns else "C")
    except (ValueError, TypeError, SyntaxError, MemoryError, OverflowError, RecursionError) as error:
        raise _damaged(path, error) from None


def _safetensors(path):
    try:
        from safetensors import SafetensorError, safe_open
    except ImportError:
        raise ConfigError('.safetensors need the package safetensors; install it with `pip install "eventsim[slayer]"`'
                          ) from None
    try:
        with safe_open(path, framework="numpy") as file:
            return {name: file.get_tensor(name) for name in sorted(file.keys(), key=in_order)}
    except (SafetensorError, ValueError, TypeError, KeyError, AttributeError, MemoryError, OverflowError) as error:
        raise _damaged(path, error) from None


def in_order(name):
    """Sorts names so that fc2 comes before fc10."""
    parts, digits = [""], False
    for character in name:
        is_digit = character.isascii() and character.isdigit()
        if is_digit != digits:
            parts, digits = [*parts, ""], is_digit
        parts[-1] += character
    return [part.lstrip("0").zfill(20) if i % 2 else part for i, part in enumerate(parts)]


def _torch(path):
    try:
        import torch
    except ImportError:
        raise ConfigError(f"{path}: .pt files are read by torch, which is not installed; install torch, or save "
                          "numpy.savez(name, **{k: v.numpy() for k, v in net.state_dict().items()})") from None
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch promises none in particular
        said = " ".join(str(error).split())[:100] or type(error).__name__
        raise FormatError(f"{path}: is damaged, or holds more than a state dict, which is never run ({said}); write it "
                          "with torch.save(net.state_dict(), name)") from None
    if not isinstance(found, dict):
        raise FormatError(f"{path}: holds a {type(found).__name__}, expected a state dict; write it with "
                          "torch.save(net.state_dict(), name)")
    inner = [value for value in found.values() if isinstance(value, dict)]
    if len(inner) == 1 and not any(torch.is_tensor(value) for value in found.values()):
        found = inner[0]  # a checkpoint that holds the state dict beside an epoch
    out = {}
    for name, value in found.items():
        if not torch.is_tensor(value):
            raise FormatError(f"{path}: {name} is a {type(value).__name__}, expected a tensor; save the state dict "
                              "alone")
        value = value.detach()
        out[str(name)] = (value.float() if value.dtype == torch.bfloat16 else value).contiguous().numpy()
    return out


READERS = {".npz": _npz, ".safetensors": _safetensors, ".pt": _torch, ".pth": _torch}

"""Files in and out: what the operating system refuses becomes one sentence, and a write is all or nothing."""

import contextlib
import errno
import os
import pathlib
import re
import uuid

from eventsim.errors import ConfigError, FormatError

try:
    import fcntl
except ImportError:
    fcntl = None


def as_path(value) -> pathlib.Path:
    """``value`` as a path; raises `ConfigError` where it is none."""
    try:
        text = os.fsdecode(value)
    except TypeError:
        text = "\0"
    if "\0" in text:
        raise ConfigError(f"expected a path, got {value!r}")
    return pathlib.Path(text)


@contextlib.contextmanager
def reading(path):
    """Turn what the operating system refuses while ``path`` is opened or read into a `FormatError`."""
    try:
        yield
    except FileNotFoundError:
        raise FormatError(f"{path}: no such file or folder; check the path") from None
    except (IsADirectoryError, PermissionError):  # some systems say the second of a folder
        if os.path.isdir(path):
            raise FormatError(f"{path}: is a folder, expected a file; name a file in it") from None
        raise FormatError(f"{path}: may not be read (permission denied); change its access rights") from None
    except OSError as error:
        raise FormatError(f"{path}: cannot be read ({error.strerror or error}); check the path and the disk") from error


def require(path):
    """Raise `FormatError` unless there is a file or folder at ``path``."""
    with reading(path):
        os.stat(path)


@contextlib.contextmanager
def replacing(path):
    """A temporary path to write, which replaces ``path`` at the end: readers see the earlier file or the whole new one.

    On failure the temporary is removed and ``path`` is what it was. Raises `ConfigError` where the place cannot be
    written.
    """
    path = as_path(path)
    if not path.name:
        raise ConfigError(f"{path}: is a folder, expected the name of a file to write")
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        with writing(path):
            yield temporary
            os.replace(temporary, path)
    finally:
        with contextlib.suppress(OSError):  # it is gone where all went well
            temporary.unlink()


def check_place(path):
    """Raise `ConfigError` where ``path`` could not be written, before there is anything to write."""
    path = as_path(path)
    folder = path.parent
    with writing(path):
        if path.is_dir():
            raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not folder.is_dir():
            number = errno.ENOTDIR if folder.exists() else errno.ENOENT
            raise OSError(number, os.strerror(number))
        if not os.access(folder, os.W_OK):
            raise OSError(errno.EACCES, os.strerror(errno.EACCES))


@contextlib.contextmanager
def alone(path):
    """Let nobody else who asks for it write ``path`` meanwhile; raises `ConfigError` where somebody does.

    A lock that the system takes away from a process that ends, however it ends. Windows has none, but refuses to
    replace or remove a file that is open.
    """
    if fcntl is None:
        yield
        return
    lock = as_path(path)
    lock = lock.with_name(f".{lock.name}.lock")
    with open(lock, "wb") as file:
        if not _is_locked(file, lock):
            raise ConfigError(f"{path}: is being written by another process; wait for its end, or choose another name")
        try:
            yield
        finally:
            lock.unlink(missing_ok=True)


def _is_locked(file, path):
    """Lock the open file at ``path``; whether that worked."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system that knows no locks
        return True
    try:
        return os.path.samestat(os.fstat(file.fileno()), os.stat(path))
    except FileNotFoundError:  # whoever held it has just ended, and removed it
        return False


@contextlib.contextmanager
def writing(path):
    """Turn what the operating system refuses while ``path`` is written into a `ConfigError`."""
    try:
        yield
    except (OSError, RuntimeError) as error:
        said = _reason(error)
        if said is None:
            raise
        raise ConfigError(f"{path}: cannot be written ({said}); choose another place or free it") from error


def _reason(error):
    """What the operating system said, None where it said nothing.

    HDF5 hides it in a text of several lines, and raises a RuntimeError where it fails on closing.
    """
    hidden = re.search(r"errno = (\d+)", str(error))
    if hidden:
        return os.strerror(int(hidden[1]))
    return error.strerror or str(error).partition("\n")[0] if isinstance(error, OSError) else None


def write_atomically(path, data: bytes):
    """Write ``data`` to ``path``, all or nothing; see `replacing`."""
    with replacing(path) as temporary, open(temporary, "xb") as file:
        file.write(data)

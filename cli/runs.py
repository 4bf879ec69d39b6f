"""Run folders, and the data that a run was trained on."""

import contextlib
import os
import pathlib
import re

from eventsim.data import open_dataset
from eventsim.errors import ConfigError

SYNTHETIC = "synthetic"


@contextlib.contextmanager
def new_run(out, arch, data):
    """A folder for a new run: ``out``, else the next of runs/<arch>-<data>-<nn>; removed again if it stays empty.

    Raises `ConfigError` where ``out`` holds something already, or the folder cannot be made.
    """
    folder = _next_folder(arch, data) if out is None else pathlib.Path(out)
    try:
        folder.mkdir(parents=True, exist_ok=out is not None)
        if any(folder.iterdir()):
            raise ConfigError(f"{folder}: is not empty; choose another --out, or go on with the run in it by "
                              f"`eventsim train --resume {folder}`")
    except OSError as error:
        raise ConfigError(f"{folder}: cannot be made ({error.strerror or error}); choose another --out") from error
    try:
        yield folder
    finally:
        with contextlib.suppress(OSError):  # it holds the run, unless the run failed before its first checkpoint
            folder.rmdir()


def _next_folder(arch, data):
    name = f"{_plain(arch)}-{_plain(pathlib.Path(data).stem)}"
    taken = [int(found[1]) for path in pathlib.Path("runs").glob(f"{name}-*")
             if (found := re.fullmatch(re.escape(name) + r"-(\d+)", path.name))]
    return pathlib.Path("runs") / f"{name}-{max(taken, default=0) + 1:02d}"


def _plain(text):
    return re.sub(r"[^A-Za-z0-9_.-]+", "_", text).strip("._-") or "run"


def data_source(data, seed, samples=None, validation_samples=None) -> dict:
    """What `open_source` needs to find the same data again, from any folder."""
    source = data if data == SYNTHETIC else os.path.abspath(data)
    return {"source": source, "seed": seed, "train": samples, "validation": validation_samples}


def open_source(source):
    """The `Splits` of a `data_source`."""
    sizes = {name: source[name] for name in ("train", "validation")}
    return open_dataset(source["source"], seed=source["seed"], **sizes)

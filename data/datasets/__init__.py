"""Labelled data sets, one file each, and `open_dataset` that chooses among them."""

import pathlib
from collections.abc import Callable
from dataclasses import dataclass

from eventsim import checks, files
from eventsim.data.codecs import codec_of
from eventsim.data.datasets.base import SPLITS, Dataset, Splits
from eventsim.data.datasets.classes import open_classes
from eventsim.data.datasets.dvsgesture import is_dvsgesture, open_dvsgesture
from eventsim.data.datasets.nmnist import is_nmnist, open_nmnist
from eventsim.data.datasets.ntidigits import find_ntidigits, open_ntidigits
from eventsim.data.datasets.shd import find_files, open_shd
from eventsim.data.datasets.store import is_labelled, open_store
from eventsim.errors import ConfigError, FormatError

__all__ = ["DATASETS", "SPLITS", "Dataset", "Splits", "open_dataset"]
_FILES = (".zip", ".h5", ".hdf5")  # that a data set may be


@dataclass(frozen=True)
class Kind:
    """One kind of data set.

    title : what people call it
    matches : whether it lies at a path
    open : makes the `Splits` of a path and a seed, and where ``takes_sensor`` of a sensor or None
    """

    title: str
    matches: Callable[[pathlib.Path], bool]
    open: Callable[..., Splits]
    takes_sensor: bool = False


# The first that matches is opened.
DATASETS: dict[str, Kind] = {
    "shd": Kind("Spiking Heidelberg Digits, Spiking Speech Commands", lambda path: bool(find_files(path)), open_shd),
    "ntidigits": Kind("N-TIDIGITS18", lambda path: find_ntidigits(path) is not None, open_ntidigits),
    "store": Kind("event store", lambda path: path.suffix in (".h5", ".hdf5"), open_store),
    "dvsgesture": Kind("DVS128 Gesture", is_dvsgesture, open_dvsgesture),
    "nmnist": Kind("N-MNIST", is_nmnist, open_nmnist),
    "classes": Kind("a folder for every class, N-Caltech101", lambda path: True, open_classes, takes_sensor=True),
}


def is_dataset(source) -> bool:
    """Whether a path, or ``"synthetic"``, is for `open_dataset`: a folder, a zip, or a file of labelled samples."""
    path = pathlib.Path(source)
    if source == "synthetic" or path.is_dir() or path.suffix.lower() == ".zip":
        return True
    if not path.is_file() or path.suffix.lower() not in _FILES:
        return False
    return any(DATASETS[name].matches(path) for name in ("shd", "ntidigits")) or is_labelled(path)


def open_dataset(source, *, seed=0, train=None, validation=None, sensor=None) -> Splits:
    """Training and validation samples of a data set, of the kind that lies there (see `DATASETS`).

    source : the path of a folder, file or zip, or ``"synthetic"`` for generated digits
    seed : chooses the synthetic samples, or which samples are held out where a data set has no test set
    train, validation : numbers of synthetic samples
    sensor : `Sensor` of recordings in a folder of classes, where they do not say it

    Raises `FormatError` where the data set cannot be read, `ConfigError` where an argument makes no sense.
    """
    seed = checks.whole_number("seed", seed, 0)
    if isinstance(source, str) and source == "synthetic":
        return _open_synthetic(seed, train, validation)
    path = files.as_path(source)
    files.require(path)
    if train is not None or validation is not None:
        raise ConfigError("sizes (train, validation) can be chosen for synthetic data only; "
                          "take a subset of a recorded data set instead")
    _refuse_recording(path)
    kind = next(kind for kind in DATASETS.values() if kind.matches(path))
    if sensor is not None and not kind.takes_sensor:
        raise ConfigError(f"{path}: is {kind.title}, whose sensor is known; leave --sensor out")
    return kind.open(source, seed, *([checks.sensor(sensor)] if sensor is not None else []))


def _refuse_recording(path):
    """Raise `FormatError` where a path is that of one recording."""
    if path.suffix.lower() in _FILES or not path.is_file():
        return
    try:
        title = codec_of(path).title
    except FormatError:  # a zip by another name, or nothing
        return
    raise FormatError(f"{path}: is one recording ({title}), expected a data set, which is a folder with one for every "
                      "class, a zip, or an event store; name that, or read the recording with eventsim.read")


def _open_synthetic(seed, train, validation):
    from eventsim.data.synthetic import SyntheticDigits  # only where it is asked for

    train = checks.whole_number("train", 2000 if train is None else train, 1)
    validation = checks.whole_number("validation", 500 if validation is None else validation, 1)
    # Even and odd seeds: no training set shares its samples with any validation set.
    return Splits(SyntheticDigits(train, seed=2 * seed), SyntheticDigits(validation, seed=2 * seed + 1),
                  f"synthetic digits, seed {seed}: {train} to train on, {validation} others for validation")

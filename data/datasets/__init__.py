"""Labelled data sets, one file each, and `open_dataset` that chooses among them."""

import os

from eventsim import checks
from eventsim.data.datasets.base import SPLITS, Dataset, Splits
from eventsim.data.datasets.nmnist import open_nmnist
from eventsim.data.datasets.store import open_store
from eventsim.errors import ConfigError

__all__ = ["DATASETS", "SPLITS", "Dataset", "Splits", "open_dataset"]


def _recorded(opener):
    """A data set whose samples are what they are."""
    def open_it(source, seed, train, validation):
        if train is not None or validation is not None:
            raise ConfigError("sizes (train, validation) can be chosen for synthetic data only; "
                              "take a subset of a recorded data set instead")
        return opener(source, seed)

    return open_it


def _open_synthetic(source, seed, train, validation):
    from eventsim.data.synthetic import SyntheticDigits  # only where it is asked for

    train = checks.whole_number("train", 2000 if train is None else train, 1)
    validation = checks.whole_number("validation", 500 if validation is None else validation, 1)
    # Even and odd seeds: no training set shares its samples with any validation set.
    return Splits(SyntheticDigits(train, seed=2 * seed), SyntheticDigits(validation, seed=2 * seed + 1),
                  f"synthetic digits, seed {seed}: {train} to train on, {validation} others for validation")


DATASETS = {"nmnist": _recorded(open_nmnist), "store": _recorded(open_store), "synthetic": _open_synthetic}


def open_dataset(source, *, seed=0, train=None, validation=None) -> Splits:
    """Training and validation samples of a data set.

    source : the path of a folder or zip (see `open_nmnist`), of an event store (see `open_store`), or ``"synthetic"``
        for generated digits
    seed : chooses the synthetic samples, or which samples are held out where a data set has no test set
    train, validation : numbers of synthetic samples

    Raises `FormatError` where the data set cannot be read, `ConfigError` where an argument makes no sense.
    """
    seed = checks.whole_number("seed", seed, 0)
    return DATASETS[_kind_of(source)](source, seed, train, validation)


def _kind_of(source):
    if isinstance(source, str) and source == "synthetic":
        return "synthetic"
    return "store" if str(source).endswith(".h5") and not os.path.isdir(source) else "nmnist"

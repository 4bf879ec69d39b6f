"""Networks that come with the package: ``<name>.h5``, and in a card, ``<name>.md``, what it was trained on and does."""

import importlib.resources
import pathlib

from eventsim import checks

DEFAULT = "nmnist"
# Packages are installed as files, which is what HDF5 opens.
FOLDER = pathlib.Path(str(importlib.resources.files(__name__)))


def names() -> list[str]:
    """The networks of the package, sorted."""
    return sorted(path.stem for path in FOLDER.glob("*.h5"))


def path(name: str = DEFAULT) -> pathlib.Path:
    """The model file of a network of the package, for `eventsim.load`; raises `ConfigError` for a name that is none."""
    return FOLDER / f"{checks.choice('network', name, names())}.h5"


def card(name: str = DEFAULT) -> str:
    """Its model card, in Markdown: data, training, accuracy, sparsity, licence."""
    return path(name).with_suffix(".md").read_text("utf-8")

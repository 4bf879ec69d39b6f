"""Finding the model that a command shall use, and its data."""

import pathlib
from dataclasses import dataclass

from eventsim import pretrained
from eventsim.cli.clocks import on_clock
from eventsim.cli.nir import read_model, refuse_options
from eventsim.cli.runs import data_source, open_source
from eventsim.data.hdf5 import attribute
from eventsim.errors import ConfigError
from eventsim.exchange.nir.file import is_nir
from eventsim.model import Network
from eventsim.trainer import TrainingConfig, newest_run
from eventsim.trainer.checkpoint import FILE_NAME, FORMAT, load_described
from eventsim.trainer.config import settings_for


@dataclass(frozen=True)
class Model:
    """A loaded network, what to call it, where it came from, and what its file says of it (see `describe`)."""

    name: str
    path: pathlib.Path
    network: Network
    about: dict

    def __str__(self):
        text = f"{self.name} ({self.network.arch.notation}"
        if self.network.weights != "float32":
            text += f" in {self.network.weights}"
        history = self.about["history"]
        if history and "val_accuracy" in history[-1]:
            text += f", validation accuracy {history[-1]['val_accuracy']:.3f}"
        return text + ")"

    @property
    def config(self) -> TrainingConfig:
        """The settings that it was trained with, else the defaults."""
        return TrainingConfig(**settings_for(self.network, self.about["config"] or {}))

    def data_source(self, data=None) -> dict:
        """Where to find the data set ``data``, default that of the run; held-out samples are those of the run."""
        own = self.about["provenance"].get("data")
        if data is None and own is None:
            raise ConfigError(f"{self.path}: does not say what data it was trained on; name a data set (evaluate RUN "
                              "--data PATH, profile PATH --model RUN)")
        if data is None:
            return own
        named = data_source(data, own["seed"] if own else 0)
        return own if own and own["source"] == named["source"] else named

    def open_data(self, data=None):
        """The `Splits` of `data_source`."""
        return open_source(self.data_source(data))


def is_model(name) -> bool:
    """Whether ``name`` is a run folder or a model file."""
    path = pathlib.Path(name)
    if is_nir(path):
        return True
    if (path / FILE_NAME).exists():
        return True
    return path.is_file() and path.suffix == ".h5" and attribute(path, "format") == FORMAT


def locate_model(name=None) -> tuple[str, pathlib.Path]:
    """What to call the model ``name`` and where it lies: a run folder, a file, or a network of the package.

    Without a name it is the newest run under ./runs, and where there is none the package's own.
    """
    path = newest_run() if name is None else pathlib.Path(name)
    if path is None:
        name = pretrained.DEFAULT
    elif path.is_file() or (path / FILE_NAME).exists() or name not in pretrained.names():
        return str(path), path
    return f"{name}, which comes with eventsim", pretrained.path(name)


def find_model(name=None, weights="float32", clock=None) -> Model:
    """The model that `locate_model` finds, in this precision.

    clock : see `on_clock`
    """
    name, path = locate_model(name)
    if is_nir(path):
        return Model(name, path, on_clock(read_model(path).with_weights(weights), clock), {
            "config": None, "progress": None, "history": None, "provenance": {}})
    refuse_options(name)
    network, about = load_described(path)
    return Model(name, path, on_clock(network.with_weights(weights), clock), about)

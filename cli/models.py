"""Finding the model that a command shall use, and its data."""

import pathlib
from dataclasses import dataclass

from eventsim.cli.clocks import on_clock
from eventsim.cli.runs import data_source, open_source
from eventsim.errors import ConfigError, FormatError
from eventsim.model import Network
from eventsim.trainer import load, newest_run
from eventsim.trainer.checkpoint import describe


@dataclass(frozen=True)
class Model:
    """A loaded network, where it came from, and what its file says of it (see `describe`)."""

    path: pathlib.Path
    network: Network
    about: dict

    def __str__(self):
        text = f"{self.path} ({self.network.arch.notation}"
        if self.network.weights != "float32":
            text += f" in {self.network.weights}"
        history = self.about["history"]
        if history and "val_accuracy" in history[-1]:
            text += f", validation accuracy {history[-1]['val_accuracy']:.3f}"
        return text + ")"

    def data_source(self, data=None) -> dict:
        """Where to find the data set ``data``, default that of the run; held-out samples are those of the run."""
        own = self.about["provenance"].get("data")
        if data is None and own is None:
            raise ConfigError(f"{self.path}: does not say what data it was trained on; name a data set with --data")
        if data is None:
            return own
        named = data_source(data, own["seed"] if own else 0)
        return own if own and own["source"] == named["source"] else named

    def open_data(self, data=None):
        """The `Splits` of `data_source`."""
        return open_source(self.data_source(data))


def find_model(name=None, weights="float32", clock=None) -> Model:
    """The model called ``name`` (a run folder or file), else the newest run under ./runs; in this precision.

    clock : see `on_clock`
    """
    path = newest_run() if name is None else pathlib.Path(name)
    if path is None:
        raise FormatError("there is no model under ./runs; train one with `eventsim train --arch mlp512`, or name a "
                          "run or model file with --model")
    return Model(path, on_clock(load(path).with_weights(weights), clock), describe(path))

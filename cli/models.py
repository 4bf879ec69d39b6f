"""Finding the model that a command shall use."""

import pathlib
from dataclasses import dataclass

from eventsim.errors import FormatError
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
        history = self.about["history"]
        if history and "val_accuracy" in history[-1]:
            text += f", validation accuracy {history[-1]['val_accuracy']:.3f}"
        return text + ")"


def find_model(name=None) -> Model:
    """The model called ``name`` (a run folder or file), else the newest run under ./runs."""
    path = newest_run() if name is None else pathlib.Path(name)
    if path is None:
        raise FormatError("there is no model under ./runs; train one with `eventsim train --arch mlp512`, or name a "
                          "run or model file with --model")
    return Model(path, load(path), describe(path))

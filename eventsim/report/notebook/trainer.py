"""`Trainer` in a notebook: settings, and how the training went."""

import numpy as np

from eventsim.report import description
from eventsim.report.notebook import pictures
from eventsim.report.notebook.markup import fragment

_MOST_EPOCHS = 12  # rows


def show(trainer) -> str:
    """HTML of a training, begun or not."""
    history = trainer.history
    gains = {"gains": trainer.provenance["gains"]} if "gains" in trainer.provenance else {}
    figures = {
        "file": trainer.out or "nowhere, it has no run folder", "network": trainer.network.config(), "delays": {},
        "provenance": gains, "config": trainer.config.as_dict(), "progress": {"epoch": trainer.epoch},
        "history": history,
    }
    items = [description.model_facts(figures)]
    if history:
        chosen = np.unique(np.linspace(0, len(history) - 1, min(len(history), _MOST_EPOCHS)).round().astype(int))
        items.append(description.history_table([history[i] for i in chosen]))
        if len(chosen) < len(history):
            items.append(f"{len(chosen)} of {len(history)} epochs")
    return fragment("Trainer", *items, beside=_curves(history))


def _curves(history):
    if len(history) < 2:
        return
    series = {"train": [record["accuracy"] for record in history]}
    if any("val_accuracy" in record for record in history):
        series["validation"] = [record.get("val_accuracy") for record in history]
    yield pictures.curves(series, "accuracy by epoch")
    yield pictures.legend(**dict(zip(series, (pictures.OFF, pictures.ON), strict=False)))
    yield pictures.caption("accuracy by epoch, from 0 to 1")

"""What logs share: a file in the run folder that agrees with the checkpoint, and records as flat columns."""

from eventsim.errors import ConfigError
from eventsim.files import write_atomically, writing
from eventsim.trainer.observer import Observer

# Figures that a record has of every layer, and what one layer's is called.
_BY_LAYER = {"rates": "rate", "silent": "silent", "active": "active"}


class Log(Observer):
    """Keeps the history of a run in ``<run folder>/<file_name>``.

    It tells of the epochs of the checkpoint, each of them once, wherever a run was cut off before. Raises `ConfigError`
    where the training has no run folder, or the file cannot be written.
    """

    file_name: str

    def start(self, trainer, n_batches):
        """Bring the file to the epochs of the checkpoint; where there are none yet, a file of an earlier run goes."""
        self.open(trainer)
        if trainer.history:
            self.write()
        else:
            with writing(self.path):
                self.path.unlink(missing_ok=True)

    def open(self, trainer):
        """Learn where to write, and the history of what."""
        if trainer.out is None:
            raise ConfigError(f"the log {self.file_name} needs a run folder; give the Trainer one (out=\"runs/first\")")
        self.trainer, self.path = trainer, trainer.out / self.file_name

    def epoch(self, record):
        """Take the epoch in."""
        self.write()

    def write(self):
        """Write every epoch of the trainer's history: all or nothing."""
        write_atomically(self.path, self.text().encode())

    def text(self) -> str:
        """What the file holds of the history."""
        raise NotImplementedError


def columns(record, layer_names, separator="_") -> dict:
    """The numbers of a record of the history by their names, those of layers by theirs, too: ``rate_dense1``."""
    out = {}
    for name, value in record.items():
        if name in _BY_LAYER:
            pairs = zip(layer_names, value, strict=True)
            out |= {f"{_BY_LAYER[name]}{separator}{layer}": figure for layer, figure in pairs if figure is not None}
        elif not isinstance(value, list):
            out[name] = value
    return out

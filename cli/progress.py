"""How training looks while it runs, on stderr: a live bar in a terminal, and a line an epoch anywhere."""

import json
import time

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from eventsim.cli.output import progress_console
from eventsim.files import write_atomically
from eventsim.report import numbers
from eventsim.report.tables import fact_lines
from eventsim.trainer import Observer

_REFRESH = 0.1  # s between two looks at the figures
_HEADER = "epoch    loss  train    val  silent     time  ms/sample  spikes a neuron"


class _TwoLines(Progress):
    """A progress bar with a line of text below it."""

    below = Text()

    def get_renderables(self):
        yield from super().get_renderables()
        yield self.below


class TrainingScreen(Observer):
    """Shows a run and keeps its history.jsonl; a context manager, so that the bar is gone whatever happens."""

    def __init__(self, out):
        self.out = out
        self.console = progress_console()
        columns = (
            TextColumn("{task.description}"), BarColumn(20), MofNCompleteColumn(), TextColumn("{task.fields[figures]}"),
            TimeRemainingColumn(compact=True),
        )
        self.bar = _TwoLines(*columns, console=self.console, transient=True, disable=not self.console.is_terminal)
        self.task = self.bar.add_task("preparing", total=None, figures="(kernels compile when first used)")
        self.looked = 0.0

    def __enter__(self):
        self.bar.start()
        return self

    def __exit__(self, *failure):
        self.bar.stop()

    def facts(self, pairs):
        """Print facts about the run."""
        width = self.console.width if self.console.is_terminal else None
        for line in fact_lines(pairs, width):
            self.console.print(line, soft_wrap=True)

    def start(self, trainer, n_batches):
        """Training starts or goes on: show what was not known before."""
        self.trainer, self.n_batches, self.epochs = trainer, n_batches, trainer.config.epochs
        supports = trainer.config.supports(trainer.network.arch.widths)
        pairs = [("Support", f"{' '.join(f'{s:g}' for s in supports)} (thresholds, by layer)")]
        if trainer.gains:
            pairs.append(("Gains", f"{' '.join(f'{g:.3g}' for g in trainer.gains)} (calibrated start, by layer)"))
        self.facts(pairs)
        self.console.print("\n" + _HEADER)
        for record in trainer.history:
            self._print_epoch(record)
        if trainer.history:
            self._write_history()
        self._begin_epoch()

    def batch(self, trainer):
        """Move the bar, and now and then its figures."""
        self.bar.update(self.task, completed=trainer.position)
        if self.bar.disable or time.monotonic() - self.looked < _REFRESH:
            return
        self.looked = time.monotonic()
        figures = trainer.metrics.summary()
        self.bar.below = Text(f"spikes a neuron {numbers.rates(figures['rates'])}, "
                              f"silent {numbers.share(self._silent(figures))}")
        self.bar.update(self.task, figures=f"loss {figures['loss']:.2f}  accuracy {figures['accuracy']:.3f}")

    def validation(self, done, total):
        """Move the bar of the validation."""
        self.bar.update(self.task, description="validating", completed=done, total=total)

    def epoch(self, record):
        """Print the epoch's line and write the history."""
        self._print_epoch(record)
        self._write_history()
        self._begin_epoch()

    def _begin_epoch(self):
        epoch = min(self.trainer.epoch + 1, self.epochs)
        self.bar.reset(self.task, description=f"epoch {epoch}/{self.epochs}", total=self.n_batches,
                       completed=self.trainer.position, figures="")

    def _silent(self, figures):
        """Share of all neurons that never fired."""
        widths = self.trainer.network.arch.widths
        return sum(s * n for s, n in zip(figures["silent"], widths, strict=True)) / sum(widths)

    def _print_epoch(self, record):
        validation = f"{record['val_accuracy']:.3f}" if "val_accuracy" in record else "-"
        per_sample = 1000 * record["seconds"] / max(record["samples"], 1)
        self.console.print(
            f"{record['epoch']:>5}  {record['loss']:>6.2f}  {record['accuracy']:.3f}  {validation:>5}  "
            f"{numbers.share(self._silent(record)):>6}  {numbers.seconds(record['seconds']):>7}  "
            f"{per_sample:>9.2f}  {numbers.rates(record['rates'])}", soft_wrap=True,
        )

    def _write_history(self):
        """Every record, rather than the last one more: so it agrees with the checkpoint after any interruption."""
        lines = "".join(json.dumps(record) + "\n" for record in self.trainer.history)
        write_atomically(self.out / "history.jsonl", lines.encode())

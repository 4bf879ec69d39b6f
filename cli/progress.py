"""How training looks while it runs, on stderr: a live bar and a live table of layers in a terminal, and a line an epoch
and its new warnings anywhere."""

import textwrap
import time

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from eventsim.cli.output import progress_console
from eventsim.report import numbers
from eventsim.report.tables import fact_lines, plain_table
from eventsim.trainer import Observer
from eventsim.trainer.health import new_warnings

_REFRESH = 0.2  # s between two looks at the figures
_BAR = 44  # columns of a line besides its bar
_GAP = 2
_FIGURE = 6  # columns of a layer's figure
# Of the line of an epoch: title, columns (None: the rates of all layers), and the order in which those that may go do
# so where the terminal is narrower than the line.
_COLUMNS = (("epoch", 5, None), ("loss", 6, None), ("train", 5, None), ("val", 5, None), ("silent", 6, None),
            ("time", 7, 2), ("ms/sample", 9, 1), ("spikes a neuron", None, 3))


def _loss(value):
    return f"{value:.2f}" if value < 1000 else numbers.large(value)


class _WithBelow(Progress):
    """A progress bar and what stands below it."""

    below = ()

    def get_renderables(self):
        yield from super().get_renderables()
        yield from self.below


class TrainingScreen(Observer):
    """Shows a run; a context manager, so that the bar is gone whatever happens."""

    def __init__(self):
        self.console = progress_console()
        columns = (
            TextColumn("{task.description}"), BarColumn(max(8, min(40, self.console.width - _BAR))),
            MofNCompleteColumn(), TimeRemainingColumn(compact=True),
        )
        self.bar = _WithBelow(*columns, console=self.console, transient=True, disable=not self.console.is_terminal,
                                 refresh_per_second=1 / _REFRESH)
        self.task = self.bar.add_task("preparing (kernels compile when first used)", total=None)
        self.looked = 0.0

    def __enter__(self):
        self.bar.start()
        return self

    def __exit__(self, *failure):
        self.bar.stop()

    def facts(self, pairs):
        """Print facts about the run."""
        for line in fact_lines(pairs, self._width()):
            self.console.print(line, soft_wrap=True)

    def start(self, trainer, n_batches):
        """Training starts or goes on: show what was not known before."""
        self.trainer, self.n_batches, self.epochs = trainer, n_batches, trainer.config.epochs
        supports = trainer.config.supports(trainer.network.arch.widths)
        shown = [f"{s:g}" if neuron.fires else "-" for s, neuron in zip(supports, trainer.network.neurons, strict=True)]
        pairs = [("Support", f"{' '.join(shown)} (thresholds, by layer)")]
        if trainer.gains:
            pairs.append(("Gains", f"{' '.join(f'{g:.3g}' for g in trainer.gains)} (calibrated start, by layer)"))
        self.facts(pairs)
        self._titles = self._that_fit()
        self.console.print("\n" + self._line(title for title, _, _ in _COLUMNS), soft_wrap=True)
        for number in range(len(trainer.history)):
            self._print_epoch(number)
        self._begin_epoch()

    def batch(self, trainer):
        """Move the bar, and now and then its figures."""
        self.bar.update(self.task, completed=trainer.position)
        if self.bar.disable or time.monotonic() - self.looked < _REFRESH:
            return
        self.looked = time.monotonic()
        self._show(trainer.metrics.summary(), 1000.0 * trainer.elapsed)

    def validation(self, done, total):
        """Move the bar of the validation."""
        self.bar.update(self.task, description="validating", completed=done, total=total)

    def epoch(self, record):
        """Print the epoch's line."""
        self._print_epoch(len(self.trainer.history) - 1)
        self._begin_epoch()

    def _width(self):
        return self.console.width if self.console.is_terminal else None

    def _begin_epoch(self):
        epoch = min(self.trainer.epoch + 1, self.epochs)
        if not self.bar.disable:
            self._show(self.trainer.metrics.summary(), 1000.0 * self.trainer.elapsed)
        self.bar.reset(self.task, description=f"epoch {epoch}/{self.epochs}", total=self.n_batches,
                       completed=self.trainer.position)

    # -- the live figures ----------------------------------------------------------------------------------------------

    def _show(self, figures, ms):
        """The epoch so far below the bar: always as many lines and as wide, so that nothing jumps."""
        n = max(figures["samples"], 1)
        line = (f"loss {_loss(figures['loss'])}  accuracy {figures['accuracy']:.3f}  {ms / n:.2f} ms/sample  "
                f"{numbers.large(figures['synops'])} SynOps")
        self.bar.below = [Text(line, no_wrap=True, overflow="ellipsis"), *self._tables(figures)]

    def _tables(self, figures):
        """Spikes a neuron and silent share of every layer, a layer a column, as many beside each other as fit."""
        names = self.trainer.network.layer_names
        shown = [(numbers.rates([rate]), numbers.share(silent)) if figures["samples"] else ("-", "-")
                 for rate, silent in zip(figures["rates"], figures["silent"], strict=True)]
        cells = [tuple(f"{cell:>{_FIGURE}}" for cell in (name, *pair))
                 for name, pair in zip(names, shown, strict=True)]
        first = ("layer", "spikes", "silent")
        width = _GAP + max(_FIGURE, *map(len, names))
        n = max(1, (self.console.width - _FIGURE) // width)
        for start in range(0, len(cells), n):
            header, *rows = zip(first, *cells[start : start + n], strict=True)
            yield plain_table(header, rows)

    # -- the lines of the epochs ---------------------------------------------------------------------------------------

    def _that_fit(self):
        """Titles of the columns that a line has room for."""
        rates = len(self.trainer.network.layers) * len("4.1 ") - 1
        widths = {title: max(len(title), width or rates) for title, width, _ in _COLUMNS}
        for title, _, _ in sorted((column for column in _COLUMNS if column[2]), key=lambda column: column[2]):
            if self._width() and sum(widths.values()) + _GAP * (len(widths) - 1) > self._width():
                del widths[title]
        return list(widths)

    def _line(self, cells):
        """Cells of all columns in a line, of those that fit."""
        shown = [f"{cell:>{width or 0}}" for (title, width, _), cell in zip(_COLUMNS, cells, strict=True)
                 if title in self._titles]
        return (" " * _GAP).join(shown)

    def _silent(self, figures):
        """Share of all neurons that never fired, of those that may; None where there are none."""
        found = [(s, n) for s, n in zip(figures["silent"], self.trainer.network.arch.widths, strict=True)
                 if s is not None]
        return sum(s * n for s, n in found) / sum(n for _, n in found) if found else None

    def _print_epoch(self, number):
        """The line of an epoch of the history, and below it the warnings that begin with it."""
        history = self.trainer.history
        record = history[number]
        validation = f"{record['val_accuracy']:.3f}" if "val_accuracy" in record else "-"
        per_sample = 1000 * record["seconds"] / max(record["samples"], 1)
        cells = (record["epoch"], _loss(record["loss"]), f"{record['accuracy']:.3f}", validation,
                 numbers.share(self._silent(record)), numbers.seconds(record["seconds"]), f"{per_sample:.2f}",
                 numbers.rates(record["rates"]))
        self.console.print(self._line(cells), soft_wrap=True)
        begun = new_warnings(record, history[number - 1] if number else None)
        for i, one in enumerate(begun):
            self._warn(f"Warning: {one['text']}.")
            if i + 1 == len(begun) or begun[i + 1]["kind"] != one["kind"]:
                cure = next(first["cure"] for first in begun if first["kind"] == one["kind"])
                self._warn(f"  {cure[0].upper()}{cure[1:]}.")

    def _warn(self, text):
        for line in textwrap.wrap(text, self._width() or len(text), subsequent_indent="  ", break_on_hyphens=False):
            self.console.print(line, style="yellow", soft_wrap=True)

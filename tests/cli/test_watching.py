"""Watching `eventsim train`: the live display at several widths, warnings, and event files for TensorBoard."""

import io
import re
import signal
import sys
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from rich.console import Console

from eventsim.cli import main
from eventsim.cli.progress import TrainingScreen
from eventsim.model import Network
from eventsim.trainer import Trainer
from eventsim.trainer.checkpoint import describe
from eventsim.trainer.logs import LOGS

from .conftest import ARCH
from .test_train import history

SIX = "34x34x2-200-150-100-50-20-10"
TWELVE = "34x34x2-" + "-".join(["16"] * 11) + "-10"


def figures(n, samples=8):
    return {"samples": samples, "loss": 12.345, "accuracy": 0.5, "rates": [4.06] * (n - 1) + [12.3],
            "silent": [0.0123] * (n - 1) + [1.0], "synops": 27.5e6}


def record(n, epoch=1, **more):
    return {"epoch": epoch, **figures(n), "seconds": 12.5, "val_accuracy": 0.25, "warnings": [], **more}


@pytest.fixture
def screen(monkeypatch):
    """A screen as wide as asked for, on a terminal or none, that shows the training of an architecture."""
    def make(arch, width=None, past=()):
        console = Console(file=io.StringIO(), force_terminal=width is not None, width=width or 200, highlight=False)
        monkeypatch.setattr("eventsim.cli.progress.progress_console", lambda: console)
        trainer = Trainer(Network(arch, seed=None))
        trainer.history[:] = past
        screen = TrainingScreen()
        screen.start(trainer, 75)
        return SimpleNamespace(screen=screen, console=console, trainer=trainer, n=len(trainer.network.layers))

    return make


def live(shown):
    """Lines of the live display."""
    with shown.console.capture() as caught:
        shown.console.print(shown.screen.bar.get_renderable())
    return re.sub(r"\x1b\[[0-9;]*m", "", caught.get()).rstrip().splitlines()


def printed(shown):
    return re.sub(r"\x1b\[[0-9;]*m", "", shown.console.file.getvalue()).splitlines()


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("arch", [SIX, TWELVE, "scnn3"])
def test_the_live_display_fits_its_terminal_and_never_changes_its_height(screen, width, arch):
    shown = screen(arch, width)
    heights = []
    for samples in (0, 8, 9000):
        shown.screen._show(figures(shown.n, samples), 300.0)
        lines = live(shown)
        heights.append(len(lines))
        assert max(map(len, lines)) <= width and "…" not in "".join(lines)
    assert len(set(heights)) == 1
    text = "\n".join(lines)
    for name in shown.trainer.network.layer_names:
        assert re.search(rf"\b{name}\b", text)
    assert text.count(" 4.1") == text.count("1.2 %") == shown.n - 1 and text.count("100 %") == 1


def test_the_live_display_has_layers_side_by_side(screen):
    shown = screen(SIX, 80)
    assert live(shown)[-1].split() == ["silent", *"------"]
    shown.screen._show(figures(6), 45.0)
    bar, line, *table = live(shown)
    assert bar.startswith("epoch 1/3 ━") and "0/75" in bar
    assert line == "loss 12.35  accuracy 0.500  5.62 ms/sample  27.5 M SynOps"
    assert [row.split()[0] for row in table] == ["layer", "spikes", "silent"]
    assert len({row.rindex(cell) + len(cell) for row, cell in zip(table, ("dense6", "12", "100 %"), strict=True)}) == 1


@pytest.mark.parametrize(("width", "titles"), [
    (None, "epoch loss train val silent time ms/sample spikes a neuron"),
    (80, "epoch loss train val silent time ms/sample spikes a neuron"),
    (79, "epoch loss train val silent time spikes a neuron"), (60, "epoch loss train val silent spikes a neuron"),
    (40, "epoch loss train val silent"),
])
def test_a_line_of_an_epoch_leaves_out_what_does_not_fit(screen, width, titles):
    shown = screen(SIX, width, past=[record(6)])
    header, line = printed(shown)[-2:]
    assert header.split() == titles.split()
    assert len(line) <= (width or 200) and line.split()[:3] == ["1", "12.35", "0.500"]


def warning(kind, layer):
    return {"kind": kind, "layer": layer, "text": f"layer {layer} is {kind}", "cure": f"cure what is {kind}"}


def test_a_warning_is_printed_once_when_it_begins_to_hold(screen):
    a, b, c = warning("saturated", "dense1"), warning("saturated", "dense2"), warning("silent", "dense3")
    past = [record(6, epoch, warnings=found) for epoch, found in enumerate([[a], [a, b, c], [b, c], [a, b]], 1)]
    lines = [line for line in printed(screen(SIX, 80, past=past)) if not re.match(r" *\d", line)]
    start = next(i for i, line in enumerate(lines) if line.startswith("epoch"))
    one, two, three = (f"Warning: {one['text']}." for one in (a, b, c))
    cures = "  Cure what is saturated.", "  Cure what is silent."
    assert lines[start + 1 :] == [one, cures[0], two, cures[0], three, cures[1], one, cures[0]]


def test_a_huge_loss_keeps_its_column(screen):
    shown = screen(SIX, 80, past=[record(6, loss=8937144.7)])
    assert printed(shown)[-1].startswith("    1  8.94 M  0.500")


def test_warnings_reach_the_screen_the_history_and_json(tree, here, call):
    arguments = ["train", "--arch", ARCH, "--data", str(tree), "--epochs", "2", "--no-calibrate", "--theta", "1e5",
                 "--out", "run"]
    result = CliRunner().invoke(main, arguments)
    assert result.stderr.count("Warning: layer dense1 is silent: 100 % of its neurons had no spike in epoch 1") == 1
    assert "\n  Start again without --no-calibrate" in result.stderr and "\x1b" not in result.stderr
    records = history(here / "run")
    assert records == describe("run")["history"] == call("train", "--resume", "run", "--json")["history"]
    assert [[one["kind"] for one in record["warnings"]] for record in records] == [["silent"], ["silent"]]


def test_divergence_is_one_sentence_and_leaves_no_folder(tree, refuse, here):
    message = refuse("train", "--arch", ARCH, "--data", tree, "--lr", "1e38", "--out", "run")
    assert message.startswith("training diverged in epoch 1: weights of dense1, dense2 are not finite any more; start")
    assert not (here / "run").exists()


class TestTensorBoard:
    file = LOGS["tensorboard"].file_name

    @pytest.fixture(autouse=True)
    def package(self):
        pytest.importorskip("tensorboardX")

    def test_event_files_are_beside_the_checkpoint_where_asked_for(self, tree, call, here):
        arguments = ("train", "--arch", ARCH, "--data", tree, "--epochs", 1)
        call(*arguments, "--out", "with", "--tensorboard")
        call(*arguments, "--out", "without")
        assert (here / "with" / self.file).stat().st_size > 1000
        assert not (here / "without" / self.file).exists()

    def test_of_a_finished_run_are_made_later_and_kept_up(self, run, call):
        call("train", "--resume", run, "--tensorboard")
        whole = (run / self.file).read_bytes()
        (run / self.file).write_bytes(whole[:-9])
        (run / "history.csv").unlink()
        call("train", "--resume", run)
        assert len((run / self.file).read_bytes()) == len(whole) and (run / "history.csv").exists()

    def test_the_wish_outlives_an_interruption_in_the_first_epoch(self, tree, call, here, monkeypatch):
        with monkeypatch.context() as patch:
            patch.setattr(Trainer, "step", lambda *_: signal.raise_signal(signal.SIGINT))
            arguments = ["train", "--arch", ARCH, "--data", str(tree), "--epochs", "1", "--out", "run", "--tensorboard"]
            assert CliRunner().invoke(main, arguments).exit_code == 130
        assert not (here / "run" / self.file).exists()
        call("train", "--resume", "run")
        assert (here / "run" / self.file).stat().st_size > 1000

    def test_without_the_package_is_one_sentence_before_anything_else(self, tree, refuse, here, monkeypatch):
        monkeypatch.setitem(sys.modules, "tensorboardX", None)
        message = refuse("train", "--arch", ARCH, "--data", tree, "--tensorboard")
        assert "install it with `pip install 'eventsim[tensorboard]'`" in message
        assert not (here / "runs").exists()

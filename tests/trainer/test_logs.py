"""Logs: what they hold, that they agree with the checkpoint wherever a run stopped, and what is refused."""

import csv
import json
import sys

import pytest

import eventsim as es
from eventsim.data import Splits
from eventsim.errors import ConfigError
from eventsim.trainer import Interrupted, Observer
from eventsim.trainer.logs import ALWAYS, LOGS

from .conftest import StopAt

ARCH = "8x8x1-30-4"
SETTINGS = {"epochs": 3, "true_count": 12, "false_count": 2, "learning_rate": 0.1}
TENSORBOARD = LOGS["tensorboard"].file_name


def trainer_of(run, **settings):
    return es.Trainer(es.Network(ARCH, seed=1), out=run, **(SETTINGS | settings))


@pytest.fixture
def data(patches):
    return Splits(patches(40), patches(8, seed=1), "")


@pytest.fixture
def tensorboard():
    pytest.importorskip("tensorboardX")
    return LOGS["tensorboard"]()


def events(run):
    """The events of an event file, read by its format alone."""
    from tensorboardX.proto.event_pb2 import Event

    left, out = (run / TENSORBOARD).read_bytes(), []
    while left:
        n = int.from_bytes(left[:8], "little")
        out.append(Event.FromString(left[12 : 12 + n]))
        left = left[16 + n :]
    return out


def epochs_of(run):
    """The epochs that each log in a run folder tells of."""
    out = {"jsonl": [json.loads(line)["epoch"] for line in (run / "history.jsonl").read_text().splitlines()]}
    with open(run / "history.csv", newline="") as file:
        out["csv"] = [int(row["epoch"]) for row in csv.DictReader(file)]
    out["tensorboard"] = [event.step for event in events(run)[1:]]
    return out


def assert_all_tell_of(run, epochs):
    for name, found in epochs_of(run).items():
        assert found == epochs, name


def test_a_run_without_a_folder_keeps_none(data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    trainer_of(None, epochs=1).fit(data)
    assert list(tmp_path.iterdir()) == []


def test_every_run_with_a_folder_has_lines_and_a_table(data, tmp_path):
    trainer = trainer_of(tmp_path / "run")
    trainer.fit(data)
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == ["history.csv", "history.jsonl", "model.h5"]
    lines = (tmp_path / "run/history.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == trainer.history
    with open(tmp_path / "run/history.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    for row, record in zip(rows, trainer.history, strict=True):
        for name in ("loss", "accuracy", "val_loss", "val_accuracy", "seconds", "learning_rate", "synops"):
            assert float(row[name]) == record[name]
        for i in (0, 1):
            for column, name in (("rate", "rates"), ("silent", "silent"), ("active", "active")):
                assert float(row[f"{column}_dense{i + 1}"]) == record[name][i]
        assert row["warnings"] == ""


def test_the_table_has_warnings_and_what_only_some_epochs_have(data, tmp_path):
    trainer = trainer_of(tmp_path / "run", calibrate=False)
    trainer.network.layers[0].packed[:] = 0
    trainer.fit(data.train)
    trainer.history[0] |= {"val_loss": 0.5}
    del trainer.history[1]["learning_rate"]
    LOGS["csv"]().start(trainer, 0)
    with open(tmp_path / "run/history.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["val_loss"] for row in rows] == ["0.5", "", ""]
    assert [row["learning_rate"] == "" for row in rows] == [False, True, False]
    assert [row["warnings"] for row in rows] == ["silent dense1"] * 3


def test_the_learning_rate_is_that_of_the_last_batch(data, tmp_path):
    rates = []

    class Rates(Observer):
        def batch(self, trainer):
            rates.append(trainer._workers[0].optimizer._now[True][0])

    history = trainer_of(None, optimizer="sgd", schedule="step", step_epochs=(1.5,)).fit(data, Rates())
    assert [record["learning_rate"] for record in history] == pytest.approx([float(r) for r in rates[4::5]])


def test_event_files_hold_every_figure_of_every_epoch(data, tmp_path, tensorboard):
    trainer = trainer_of(tmp_path / "run")
    trainer.fit(data, tensorboard)
    first, *epochs = events(tmp_path / "run")
    assert first.file_version == "brain.Event:2"
    for event, record in zip(epochs, trainer.history, strict=True):
        scalars = {value.tag: value.simple_value for value in event.summary.value if value.HasField("simple_value")}
        wanted = {"loss/train": record["loss"], "loss/validation": record["val_loss"], "accuracy/train":
                  record["accuracy"], "accuracy/validation": record["val_accuracy"], "synops": record["synops"],
                  "dense_macs": record["dense_macs"], "learning_rate": record["learning_rate"],
                  "ms_a_sample": 1000 * record["seconds"] / 40}
        for tag, name in (("rate", "rates"), ("silent", "silent"), ("active", "active")):
            wanted |= {f"{tag}/dense{i + 1}": value for i, value in enumerate(record[name])}
        assert scalars == pytest.approx(wanted, rel=1e-6)
        histograms = {value.tag: value.histo for value in event.summary.value if value.HasField("histo")}
        assert {tag: histo.num for tag, histo in histograms.items()} == {"weights/dense1": 64 * 30,
                                                                        "weights/dense2": 30 * 4}
    weights = trainer.network.layers[0].weight
    assert (histograms["weights/dense1"].min, histograms["weights/dense1"].max) == (weights.min(), weights.max())


@pytest.mark.parametrize("batches", [2, 5, 8, 10])
def test_a_run_that_goes_on_has_every_epoch_once(data, tmp_path, batches):
    pytest.importorskip("tensorboardX")
    run, log = tmp_path / "run", LOGS["tensorboard"]
    with pytest.raises(Interrupted):
        trainer_of(run).fit(data, [log(), StopAt(batches)])
    es.Trainer.resume(run).fit(data, log())
    assert_all_tell_of(run, [1, 2, 3])


class StopAtLog(Observer):
    """Fails where the second epoch is to be logged: the checkpoint has an epoch that no log has."""

    def epoch(self, record):
        if record["epoch"] == 2:
            raise KeyboardInterrupt


def test_an_epoch_that_was_not_logged_any_more_is_when_the_run_goes_on(data, tmp_path, monkeypatch):
    pytest.importorskip("tensorboardX")
    run, log = tmp_path / "run", LOGS["tensorboard"]
    monkeypatch.setattr(es.Trainer, "own_logs", lambda self: [StopAtLog(), *(LOGS[name]() for name in ALWAYS)])
    with pytest.raises(KeyboardInterrupt):
        trainer_of(run).fit(data, log())
    monkeypatch.undo()
    assert_all_tell_of(run, [1])
    resumed = es.Trainer.resume(run)
    for name in LOGS:
        LOGS[name]().start(resumed, 5)
    assert_all_tell_of(run, [1, 2])
    resumed.fit(data, log())
    assert_all_tell_of(run, [1, 2, 3])


@pytest.mark.parametrize("damage", [
    lambda data: data[:-3], lambda data: data + b"\x05", lambda data: data + data[-200:],
    lambda data: data[:-40] + b"\0" + data[-39:], lambda data: data[:30], lambda data: b"no events", lambda data: b"",
    lambda data: data + data[40:],
], ids=["torn", "begun", "rest", "flipped", "version torn", "other", "empty", "twice"])
def test_a_damaged_event_file_is_mended(data, tmp_path, tensorboard, damage):
    run = tmp_path / "run"
    trainer_of(run).fit(data, tensorboard)
    path = run / TENSORBOARD
    path.write_bytes(damage(path.read_bytes()))
    LOGS["tensorboard"]().start(es.Trainer.resume(run), 0)
    assert events(run)[0].file_version and epochs_of(run)["tensorboard"] == [1, 2, 3]


def test_epochs_that_an_older_checkpoint_does_not_know_go(data, tmp_path, tensorboard):
    run = tmp_path / "run"
    trainer = trainer_of(run)
    trainer.fit(data, tensorboard)
    del trainer.history[1:]
    for name in LOGS:
        LOGS[name]().start(trainer, 5)
    assert_all_tell_of(run, [1])


def test_a_new_run_in_an_old_folder_starts_without_the_old_epochs(data, tmp_path, tensorboard):
    run = tmp_path / "run"
    trainer_of(run).fit(data, tensorboard)
    with pytest.raises(Interrupted):
        trainer_of(run).fit(data, [LOGS["tensorboard"](), StopAt(2)])
    assert [path.name for path in run.iterdir()] == ["model.h5"]


def test_what_is_refused(data, tmp_path, monkeypatch):
    with pytest.raises(ConfigError, match=r"the log history\.jsonl needs a run folder; give the Trainer one"):
        trainer_of(None).fit(data, LOGS["jsonl"]())
    for wrong in ("tensorboard", 5, [None]):
        with pytest.raises(ConfigError, match="observer must be an Observer or a list of them, got"):
            trainer_of(None).fit(data, wrong)
    (tmp_path / "run" / "history.csv").mkdir(parents=True)
    with pytest.raises(ConfigError, match=r"history.csv: cannot be written"):
        trainer_of(tmp_path / "run").fit(data)
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    with pytest.raises(ConfigError, match=r"tensorboardX; install it with `pip install 'eventsim\[tensorboard\]'`$"):
        LOGS["tensorboard"]()

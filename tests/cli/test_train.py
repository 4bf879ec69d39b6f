"""`eventsim train`: runs, their folders, what they say, and how they go on."""

import errno
import json
import os
import pathlib

import pytest
from click.testing import CliRunner

from eventsim.cli import main
from eventsim.trainer.checkpoint import describe

from .conftest import ARCH


def history(run):
    return [json.loads(line) for line in (run / "history.jsonl").read_text().splitlines()]


class TestANewRun:
    run = pathlib.Path("runs") / f"{ARCH}-blobs-01"

    @pytest.fixture
    def result(self, tree):
        arguments = ["train", "--arch", ARCH, "--data", str(tree), "--epochs", "2", "--seed", "3"]
        return CliRunner().invoke(main, arguments)

    def test_says_first_what_is_trained_on_what(self, result):
        head = result.stderr.partition("\nepoch")[0]
        for part in (ARCH, "37.2 k weights", "60 to train on, 20 to validate on", "Training   2 epochs", str(self.run)):
            assert part in head

    def test_shows_supports_and_gains(self, result):
        assert "0.3 inf (thresholds, by layer)" in result.stderr
        assert "calibrated start" in result.stderr

    def test_prints_a_line_an_epoch_and_no_bar_where_there_is_no_terminal(self, result):
        lines = result.stderr.splitlines()
        header = next(i for i, line in enumerate(lines) if line.startswith("epoch"))
        assert [line.split()[0] for line in lines[header + 1 :]] == ["1", "2"]
        assert "\x1b" not in result.stderr and "━" not in result.stderr

    def test_ends_with_where_the_run_is_and_what_to_type_next(self, result):
        assert f"The run is trained: {self.run}\n" in result.stdout and "validation accuracy 0." in result.stdout
        for command in ("eventsim simulate ", "eventsim profile ", f"eventsim evaluate {self.run}"):
            assert f"\n  {command}" in result.stdout

    def test_keeps_where_it_came_from(self, result, tree):
        provenance = describe(self.run)["provenance"]
        assert provenance["command"] == ["eventsim", "train", "--arch", ARCH, "--data", str(tree), "--epochs", "2",
                                         "--seed", "3"]
        assert provenance["data"] == {"source": str(tree), "seed": 3, "train": None, "validation": None}
        assert len(provenance["gains"]) == 2 and provenance["package"]

    def test_keeps_a_history(self, result):
        records = history(self.run)
        assert [r["epoch"] for r in records] == [1, 2]
        assert records == describe(self.run)["history"]
        assert {"loss", "accuracy", "val_accuracy", "rates", "silent", "seconds"} <= set(records[0])


def test_learns_its_training_samples(tree, call):
    figures = call("train", "--arch", "34x34x2-64-10", "--data", tree, "--epochs", 5, "--batch-size", 2, "--lr", 0.01,
                   "--json")
    assert figures["history"][0]["accuracy"] < 0.6 < 0.9 < figures["history"][-1]["accuracy"]


def test_json_is_one_object_with_the_history(tree, call):
    figures = call("train", "--arch", ARCH, "--data", tree, "--epochs", 1, "--json")
    assert set(figures) == {"run", "arch", "config", "epochs", "accuracy", "history"}
    assert figures["config"] == describe(figures["run"])["config"]
    assert figures["arch"] == ARCH and figures["epochs"] == 1
    assert figures["accuracy"] == figures["history"][-1]["val_accuracy"]


def test_default_folders_count_up(tree, call, here):
    for _ in range(2):
        call("train", "--arch", ARCH, "--data", tree, "--epochs", 1)
    assert sorted(os.listdir("runs")) == [f"{ARCH}-blobs-01", f"{ARCH}-blobs-02"]


def test_settings_reach_the_run(tree, call):
    run = call("train", "--arch", ARCH, "--data", tree, "--epochs", 1, "--lr", 0.002, "--batch-size", 4, "--schedule",
               "constant", "--loss", "spike_count_slayer", "--true-count", 50, "--false-count", 5, "--support", "inf",
               "--tau-syn", 5, "--theta", 8, "--t-abs", 2, "--dt", 2, "--input-mode", "count", "--no-calibrate",
               "--threads", 1, "--json")["run"]
    about = describe(run)
    config = about["config"]
    assert (config["learning_rate"], config["batch_size"], config["schedule"]) == (0.002, 4, "constant")
    assert (config["loss"], config["true_count"], config["false_count"]) == ("spike_count_slayer", 50, 5)
    assert (config["support"], config["calibrate"]) == ("inf", False)
    neuron, network = about["network"]["neuron"], about["network"]
    assert (neuron["tau_syn"], neuron["theta"], neuron["t_abs"], neuron["tau_ref"]) == (5, 8, 2, 1)
    assert (network["dt"], network["input_mode"], network["n_ticks"]) == (2, "count", 150)


def test_a_named_architecture_brings_its_neuron_and_learning_rate(tree, call):
    from eventsim.model import PRESETS

    about = describe(call("train", "--arch", "mlp512", "--data", tree, "--epochs", 1, "--json")["run"])
    assert about["config"]["learning_rate"] == PRESETS["mlp512"].learning_rate
    assert about["network"]["neuron"]["tau_syn"] == PRESETS["mlp512"].neuron.get("tau_syn", 10.0)


def test_settings_of_a_choice_reach_the_run_and_its_facts(tree, here):
    arguments = ["train", "--arch", ARCH, "--data", str(tree), "--epochs", "2", "--schedule", "step", "--step-at", "1",
                 "--step-at", "1.5,9", "--step-factor", "0.5", "--warmup", "0.5", "--optimizer", "adamw",
                 "--weight-decay", "0.02", "--out", "run"]
    result = CliRunner().invoke(main, arguments)
    said = "adamw 0.001 weight decay 0.02 step x0.5 at epoch 1, 1.5, 9, warm-up 0.5 epochs"
    assert said in result.stderr
    config = describe("run")["config"]
    assert (config["step_epochs"], config["step_factor"], config["warmup"]) == ([1, 1.5, 9], 0.5, 0.5)
    assert (config["weight_decay"], config["momentum"]) == (0.02, None)
    assert said in CliRunner().invoke(main, ["info", "run"]).stdout
    assert CliRunner().invoke(main, ["train", "--resume", "run"]).exit_code == 0


def test_bounds_on_rates_reach_the_run_and_its_loss(tree, call):
    arguments = ["train", "--arch", ARCH, "--data", str(tree), "--epochs", "1", "--rate-high", "3", "--rate-low", "0"]
    said = CliRunner().invoke(main, [*arguments, "--rate-weight", "0.5", "--out", "run"]).stderr
    assert "at least 0 and at most 3 spikes a neuron in hidden layers, weight 0.5" in said
    about = describe("run")
    assert (about["config"]["rate_low"], about["config"]["rate_high"]) == (0, 3)
    assert call("evaluate", "run", "--json")["loss"] == pytest.approx(about["history"][-1]["val_loss"])


@pytest.mark.parametrize("clock", ["grid", "exact"])
def test_augmentation_reaches_the_run_and_its_facts(tree, here, clock):
    arguments = ["train", "--arch", ARCH, "--data", str(tree), "--epochs", "1", "--clock", clock, "--shift", "1",
                 "--jitter", "2.5", "--drop", "0.1", "--out", "run"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0 and "Augment    shift 1 px, jitter 2.5 ms, drop 0.1\n" in result.stderr
    config = describe("run")["config"]
    assert (config["shift"], config["rotate"], config["jitter"], config["drop"]) == (1, 0, 2.5, 0.1)


@pytest.fixture
def stepped(monkeypatch):
    """A named architecture whose training takes steps."""
    from eventsim.model.arch import PRESETS, Preset

    training = {"schedule": "step", "step_epochs": (30,), "optimizer": "sgd", "momentum": 0.5}
    monkeypatch.setitem(PRESETS, "stepped", Preset(ARCH, "takes steps", learning_rate=0.03, training=training))


@pytest.mark.parametrize(("options", "wanted"), [
    ([], ("step", [30], "sgd", 0.5)), (["--step-at", "1"], ("step", [1], "sgd", 0.5)),
    (["--schedule", "cosine"], ("cosine", None, "sgd", 0.5)), (["--optimizer", "adam"], ("step", [30], "adam", None)),
], ids=str)
def test_a_named_architecture_brings_other_settings_which_a_choice_does_away_with(stepped, tree, call, options, wanted):
    config = call("train", "--arch", "stepped", "--data", tree, "--epochs", 1, *options, "--json")["config"]
    assert tuple(config[name] for name in ("schedule", "step_epochs", "optimizer", "momentum")) == wanted
    assert config["learning_rate"] == 0.03


def test_info_says_what_a_named_architecture_brings(stepped, call):
    assert "schedule step, step epochs 30, optimizer sgd, momentum 0.5" in call("info", "stepped")
    assert call("info", "stepped", "--json")["training"]["step_epochs"] == [30]


class TestRefused:
    def test_folder_that_holds_something(self, tree, refuse, run):
        message = refuse("train", "--arch", ARCH, "--data", tree, "--out", run)
        assert "is not empty; choose another --out" in message and f"--resume {run}" in message

    def test_place_that_cannot_be_made(self, tree, refuse, here):
        (here / "file").write_text("")
        message = refuse("train", "--arch", ARCH, "--data", tree, "--out", here / "file" / "run")
        assert "cannot be made" in message and "choose another --out" in message

    def test_failure_before_the_first_checkpoint_leaves_no_folder(self, tree, refuse):
        bad = refuse("train", "--arch", ARCH, "--data", tree, "--epochs", 0)
        assert "epochs" in bad and not os.path.exists(f"runs/{ARCH}-blobs-01")

    def test_architecture_for_another_sensor(self, tree, refuse):
        message = refuse("train", "--arch", "28x28x1-16-10", "--data", tree)
        assert "28x28x1" in message and "34x34x2" in message

    def test_too_few_outputs(self, tree, refuse):
        assert "architecture that ends with 10" in refuse("train", "--arch", "34x34x2-16-5", "--data", tree)

    @pytest.mark.parametrize(("option", "value", "part"), [
        ("--epochs", "x", "`eventsim train --help`"),
        ("--epochs", "0", "whole number from 1"),
        ("--batch-size", "0", "whole number from 1"),
        ("--lr", "-1", "above 0"),
        ("--lr", "nan", "above 0"),
        ("--support", "wide", "auto, inf, or a number"),
        ("--support", "-1", "above 0"),
        ("--schedule", "linear", "cosine"),
        ("--loss", "mse", "spike_count"),
        ("--true-count", "-3", "at least 0"),
        ("--schedule", "step", "name them (--step-at 30)"),
        ("--step-at", "30", "step_epochs is a setting of step, and the schedule is cosine"),
        ("--step-at", "x,30", "write a number, or several with commas between them, e.g. 30,60"),
        ("--momentum", "0.9", "momentum is a setting of sgd, and the optimizer is adam"),
        ("--weight-decay", "0.1", "weight_decay is a setting of adamw, and the optimizer is adam"),
        ("--rate-weight", "1", "give rate_low or rate_high, or leave out rate_weight"),
        ("--jitter", "-1", "augmentation jitter must be a number from 0"),
        ("--drop", "1", "augmentation drop must be a number from 0 to 0.99"),
        ("--warmup", "3", "warmup must be shorter than the training of 3 epochs"),
        ("--tau-syn", "0", "neuron parameter tau_syn must be"),
        ("--dt", "0", "dt must be a time in ms"),
        ("--threads", "0", "`eventsim train --help`"),
        ("--seed", "-1", "seed must be a whole number"),
        ("--samples", "5", "synthetic data only"),
        ("--arch", "smpl", "smlp, scnn, scnn3, mlp512"),
    ])
    def test_nonsense(self, tree, refuse, option, value, part):
        settings = {"--arch": ARCH, "--data": tree, option: value}
        assert part in refuse("train", *(word for pair in settings.items() for word in pair))
        assert not os.path.exists("runs") or os.listdir("runs") == []

    def test_folder_without_samples(self, refuse, here):
        assert "has no recording" in refuse("train", "--data", here)

    def test_missing_data(self, refuse):
        assert "nowhere: no such file or folder" in refuse("train", "--data", "nowhere")


class TestResume:
    def test_of_a_finished_run_says_so(self, run, call):
        before = (run / "model.h5").read_bytes()
        assert f"was finished already: {run}" in call("train", "--resume", run)
        assert (run / "model.h5").read_bytes() == before
        assert call("train", "--resume", run, "--json")["epochs"] == 2

    @pytest.mark.parametrize("option", ["--epochs", "--arch", "--out", "--seed", "--lr", "--samples", "--tau-syn"])
    def test_keeps_its_settings(self, run, refuse, option):
        message = refuse("train", "--resume", run, option, "3")
        assert message.startswith(f"{option} cannot be changed in a run that goes on")

    def test_refuses_to_lose_the_calibration_flag(self, run, refuse):
        assert refuse("train", "--resume", run, "--no-calibrate").startswith("--no-calibrate cannot be changed")

    def test_of_no_run(self, refuse, here):
        assert "holds no model.h5, so it is no run" in refuse("train", "--resume", here)
        assert "no such file" in refuse("train", "--resume", here / "nowhere")

    def test_in_a_place_that_cannot_be_written(self, run, refuse, monkeypatch):
        def refused(**_):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))

        monkeypatch.setattr("eventsim.trainer.checkpoint.tempfile.TemporaryFile", refused)
        assert refuse("train", "--resume", run) == (
            f"{run}: cannot be written (Read-only file system); free it, or copy the run elsewhere and go on there")

    def test_of_a_model_without_training(self, run, refuse):
        import eventsim

        eventsim.save("plain.h5", eventsim.load(run))
        assert "without training state, so it cannot be resumed" in refuse("train", "--resume", "plain.h5")

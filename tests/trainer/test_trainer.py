"""The loop: it learns, it is deterministic, and it goes on where it stopped."""

import os
import signal

import h5py
import numpy as np
import pytest

import eventsim as es
from eventsim import kernels
from eventsim.data import Splits
from eventsim.engine import run
from eventsim.errors import ConfigError, EventsimError, FormatError
from eventsim.trainer import Interrupted, Observer, TrainingConfig, checkpoint
from eventsim.trainer.calibrate import calibrate
from eventsim.trainer.loop import make_loader
from eventsim.trainer.optimizers import OPTIMIZERS

from .conftest import StopAt, assert_same_course

ARCH = "8x8x1-30-4"
SETTINGS = {"epochs": 2, "true_count": 12, "false_count": 2, "learning_rate": 0.1}


def _trained(data, **settings):
    network = es.Network(ARCH, seed=1)
    trainer = es.Trainer(network, **(SETTINGS | settings))
    trainer.fit(data)
    return trainer


def _weights(trainer):
    return [layer.weight for layer in trainer.network.layers]


@pytest.mark.parametrize("settings", [
    {}, {"support": "inf"}, {"support": 2.0}, {"loss": "spike_count_slayer"}, {"loss": "spike_time"},
    {"loss_window": (5.0, 35.0)},
    {"schedule": "constant"}, *({"optimizer": name} for name in OPTIMIZERS if name != "adam"),
], ids=str)
def test_training_learns(patches, settings):
    trainer = _trained(Splits(patches(120), patches(40, seed=1), ""), epochs=4, **settings)
    first, last = trainer.history[0], trainer.history[-1]
    assert last["loss"] < first["loss"]
    assert last["val_accuracy"] >= 0.9


def test_same_seed_gives_same_bits_on_any_number_of_threads(patches):
    results = []
    for n in (1, 2, 3):
        kernels.set_threads(n)
        results.append(_weights(_trained(patches(40))))
    kernels.set_threads(None)
    for other in results[1:]:
        for a, b in zip(results[0], other, strict=True):
            np.testing.assert_array_equal(a, b)
    assert not np.array_equal(results[0][0], _weights(_trained(patches(40), seed=7))[0])


@pytest.mark.parametrize(("batches", "settings"), [
    (1, {}), (4, {}), (5, {}), (7, {}), (7, {"schedule": "step", "step_epochs": (1.5,), "warmup": 1.2}),
    (7, {"shift": 1.0, "jitter": 2.0, "drop": 0.1, "rate_low": 4.0}),
    *((7, {"optimizer": name}) for name in OPTIMIZERS if name != "adam"),
], ids=str)
def test_resumed_run_ends_in_the_same_bits(patches, tmp_path, batches, settings):
    """Stopped after the first batch, amid an epoch, at its end, and amid the second."""
    data = Splits(patches(40), patches(8, seed=1), "")
    whole = _trained(data, out=tmp_path / "whole", **settings)
    cut = es.Trainer(es.Network(ARCH, seed=1), out=tmp_path / "cut", **SETTINGS, **settings)
    try:
        cut.fit(data, StopAt(batches))
    except Interrupted as stop:
        assert 5 * stop.epoch + stop.position == batches
    resumed = es.Trainer.resume(tmp_path / "cut")
    resumed.fit(data)
    for a, b in zip(_weights(whole), _weights(resumed), strict=True):
        np.testing.assert_array_equal(a, b)
    assert_same_course(whole, resumed)


def test_loaded_network_simulates_as_the_trained_one(patches, tmp_path):
    trainer = _trained(patches(40), out=tmp_path / "run")
    events = patches(4, seed=9).events(2)
    before, after = trainer.network.simulate(events), es.load(tmp_path / "run").simulate(events)
    assert len(before.output) > 0
    assert before.output == after.output
    assert after.output.n_ticks == 40


def test_calibration_reaches_its_rates(patches):
    network = es.Network("8x8x1-60-50-4", seed=0)
    data = patches(16)
    spikes = next(iter(make_loader(network, data, 16)))[0]
    calibrate(network, spikes, hidden=3.0, output=10.0)
    rates = [len(layer.spikes) / (16 * layer.spikes.n_neurons) for layer in es.engine.forward(network, spikes).layers]
    np.testing.assert_allclose(rates, [3.0, 3.0, 10.0], rtol=0.15)


def test_evaluate_counts_every_sample(patches):
    trainer = _trained(patches(80), epochs=4)
    metrics = es.evaluate(trainer.network, patches(37, seed=3))
    assert metrics.samples == metrics.confusion.sum() == 37
    assert metrics.summary()["accuracy"] == np.trace(metrics.confusion) / 37


@pytest.mark.parametrize("support", [0.5, "inf", "auto"])
def test_the_share_that_the_backward_pass_visits_is_that_of_the_active_sets(patches, support):
    """Of one step: every later one has other weights."""
    data = patches(8)
    trainer = _trained(data, epochs=1, support=support)
    again = es.Trainer(es.Network(ARCH, seed=1), **(SETTINGS | {"epochs": 1, "support": support}))
    loader = make_loader(again.network, data, 8)
    (spikes, _, _), = loader
    calibrate(again.network, spikes, output=again.config.mean_target(4), seed=0)
    trace = run(again.network, spikes, supports=again.config.supports([30, 4]))
    wanted = [1.0 if layer.active.full else layer.active.n_pairs / (8 * 40 * n)
              for layer, n in zip(trace.layers, (30, 4), strict=True)]
    assert trainer.history[0]["active"] == pytest.approx(wanted)
    assert wanted == [1.0, 1.0] if support == "inf" else 0 < wanted[0] < 1
    assert "active" not in es.evaluate(again.network, data).summary()


def test_a_large_batch_is_walked_in_pieces_with_the_same_gradient(patches, monkeypatch):
    from eventsim.trainer import worker

    whole = _trained(patches(32), support="inf", batch_size=16)
    monkeypatch.setattr(worker, "_PAIRS_A_WALK", 34 * 40 * 3)
    pieces = _trained(patches(32), support="inf", batch_size=16)
    for a, b in zip(_weights(whole), _weights(pieces), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(("field", "value"), [
    ("epochs", 0), ("epochs", 1.5), ("batch_size", -1), ("learning_rate", 0.0), ("learning_rate", float("nan")),
    ("schedule", "linear"), ("optimizer", "sgdd"), ("loss", None), ("support", 0), ("support", "narrow"),
    ("seed", -1), ("calibrate", 1), ("true_count", -3),
])
def test_nonsense_settings_are_refused(field, value):
    with pytest.raises(ConfigError, match=field):
        TrainingConfig(**{field: value})


def test_misfits_are_refused(patches):
    with pytest.raises(ConfigError, match="unknown training setting 'rate'"):
        es.Trainer(es.Network(ARCH), rate=1)
    with pytest.raises(ConfigError, match="8x8x1"):
        es.Trainer(es.Network("34x34x2-4")).fit(patches(8))
    with pytest.raises(ConfigError, match="3 outputs"):
        es.Trainer(es.Network("8x8x1-3")).fit(patches(8))
    with pytest.raises(ConfigError, match="Network"):
        es.Trainer("smlp")
    for arch in ("8x8x1-30r-4", "8x8x1-30@d2-4"):
        with pytest.raises(ConfigError, match=f"{arch} has delays or recurrence, which are for simulation only so far"):
            es.Trainer(es.Network(arch))


def test_resuming_on_other_data_is_refused(patches, tmp_path):
    _trained(patches(16), out=tmp_path / "run")
    with pytest.raises(ConfigError, match="not that of the run"):
        es.Trainer.resume(tmp_path / "run").fit(patches(16, seed=2))


def test_disk_full_while_saving_keeps_the_earlier_checkpoint(patches, tmp_path, monkeypatch):
    trainer = _trained(patches(16), out=tmp_path / "run")
    before = (tmp_path / "run/model.h5").read_bytes()

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(h5py.Group, "create_dataset", full)
    with pytest.raises(ConfigError, match="No space left"):
        trainer.save()
    assert (tmp_path / "run/model.h5").read_bytes() == before
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == ["history.csv", "history.jsonl", "model.h5"]


def _rewrite(path, change):
    with h5py.File(path, "r+") as file:
        change(file)


def _shorten(file):
    del file["weights/dense1"]
    file["weights/dense1"] = np.zeros((3, 3), np.float32)


@pytest.mark.parametrize(("change", "words"), [
    (lambda f: f.attrs.__setitem__("version", 99), "version 99"),
    (lambda f: f.attrs.__setitem__("format", "other"), "not an eventsim model"),
    (lambda f: f.attrs.__delitem__("format"), "not an eventsim model"),
    (lambda f: f.attrs.__setitem__("network", "{"), "damaged"),
    (lambda f: f.attrs.__setitem__("network", '{"arch": "x", "neuron": {"kind": "srm"}}'), "damaged"),
    (lambda f: f.__delitem__("weights/dense2"), "damaged"),
    (_shorten, "shape"),
    (lambda f: f["weights/dense1"].__setitem__((0, 0), np.nan), "finite"),
    (lambda f: f.__delitem__("training"), "cannot be resumed"),
    (lambda f: f["training"].attrs.__setitem__("progress", "[]"), "damaged"),
], ids=["newer", "other", "no format", "no json", "bad arch", "no weights", "shape", "nan", "model only", "progress"])
def test_damaged_checkpoints_are_refused_with_a_sentence(patches, tmp_path, change, words):
    _trained(patches(16), out=tmp_path / "run")
    _rewrite(tmp_path / "run/model.h5", change)
    with pytest.raises(FormatError, match=words) as caught:
        es.Trainer.resume(tmp_path / "run")
    assert "model.h5" in str(caught.value)


@pytest.mark.parametrize(("where", "name", "value"), [
    (None, "provenance", "[1]"), (None, "network", "3"), ("training", "config", "[1]"), ("training", "history", "5"),
    ("training", "history", '["a"]'), ("training", "history", "[]"), ("training", "history", '[{"epoch": 1}]'),
    ("training", "config", '{"loss": "nope"}'),
    ("training", "progress", '{"epoch": -1, "position": 0, "seconds": 0, "rng": {}}'),
])
def test_json_of_another_kind_is_refused(patches, tmp_path, where, name, value):
    _trained(patches(16), out=tmp_path / "run")
    _rewrite(tmp_path / "run/model.h5", lambda f: (f[where] if where else f).attrs.__setitem__(name, value))
    with pytest.raises(FormatError, match="damaged"):
        es.Trainer.resume(tmp_path / "run")


def test_a_diverged_run_keeps_the_checkpoint_before(patches, tmp_path):
    trainer = _trained(patches(16), out=tmp_path / "run")
    before = (tmp_path / "run/model.h5").read_bytes()
    trainer.network.layers[0].packed[0, 0, 0] = np.inf
    with pytest.raises(ConfigError, match="diverged"):
        trainer.save()
    assert (tmp_path / "run/model.h5").read_bytes() == before


class StopInValidation(Observer):
    """Sends this process a SIGINT in the first validation."""

    def validation(self, done, total):
        """Once."""
        if done == 1:
            os.kill(os.getpid(), signal.SIGINT)


def test_a_stop_in_the_validation_loses_no_batch(patches, tmp_path):
    data = Splits(patches(40), patches(24, seed=1), "")
    whole = _trained(data)
    cut = es.Trainer(es.Network(ARCH, seed=1), out=tmp_path / "run", **SETTINGS)
    with pytest.raises(Interrupted) as stop:
        cut.fit(data, StopInValidation())
    assert (stop.value.epoch, stop.value.position) == (0, 5)
    resumed = es.Trainer.resume(tmp_path / "run")
    resumed.fit(data)
    for a, b in zip(_weights(whole), _weights(resumed), strict=True):
        np.testing.assert_array_equal(a, b)
    assert resumed.history[0]["seconds"] > 0


def test_truncated_and_foreign_files_are_refused(patches, tmp_path):
    _trained(patches(16), out=tmp_path / "run")
    data = (tmp_path / "run/model.h5").read_bytes()
    for name, content in (("cut.h5", data[: len(data) // 2]), ("text.h5", b"hello"), ("empty.h5", b"")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(FormatError, match=name):
            checkpoint.load(tmp_path / name)
    for path in (tmp_path / "none.h5", tmp_path):
        with pytest.raises(EventsimError):
            checkpoint.load(path)

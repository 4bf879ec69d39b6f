"""Whole runs on a device: simulating, training and going on, with the results of the CPU to the bit."""

import json

import h5py
import numpy as np
import pytest
from click.testing import CliRunner
from patches import Patches
from scenes import random_spikes

import eventsim as es
from eventsim.cli import main
from eventsim.engine import forward
from eventsim.engine.exact import forward_exact
from eventsim.engine.gpu.devices import check_timed_layer
from eventsim.engine.potential import potentials
from eventsim.engine.queue import forward_queue
from eventsim.engine.simulate import run_layer
from eventsim.errors import ConfigError, DeviceError
from eventsim.kernels.cuda import available
from eventsim.kernels.memory import on_host
from eventsim.model import LIF, CubaLIF
from eventsim.model.layers.sparse import Sparse
from eventsim.profile import Profile
from eventsim.trainer import evaluate

SETTINGS = {"epochs": 2, "true_count": 12, "false_count": 2, "learning_rate": 0.1}
ARCH = "8x8x1-70-4"


def compare_files(compare):
    """Call ``compare(a, b, err_msg=name)`` with every data set of the files cpu.h5 and gpu.h5."""
    with h5py.File("cpu.h5") as one, h5py.File("gpu.h5") as other:
        names = []
        one.visititems(lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None)
        assert len(names) > 4
        for name in names:
            compare(one[name][()], other[name][()], err_msg=name)


def command(*arguments):
    """The result of a command that succeeds."""
    result = CliRunner().invoke(main, [str(a) for a in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout) if "--json" in arguments else result.stdout


def refused(*arguments):
    """The sentence of a command that fails."""
    result = CliRunner().invoke(main, [str(a) for a in arguments], catch_exceptions=False)
    assert (result.exit_code, result.stdout) == (1, "")
    return result.stderr


@pytest.fixture
def recording(tmp_path):
    path = tmp_path / "sample.bin"
    command("generate", path, "--seed", 3)
    return path


def course(network, place, **settings):
    """Gains, history without times, and weights of a training at a place."""
    trainer = es.Trainer(network.to(place), **settings)
    trainer.fit(es.data.Splits(Patches(24), Patches(8, seed=1), ""))
    weights = [on_host(array) for array in trainer.network.parameters]
    return trainer.gains, without_times(trainer.history), weights


@pytest.mark.parametrize("arch, settings", [
    (ARCH, {}), (ARCH, {"support": "inf", "optimizer": "sgd"}),
    (ARCH, {"optimizer": "adamw", "rate_high": 3.0, "loss": "spike_count_slayer"}),
    ("8x8x1-6c3-2p-bn-4c2p1-do0.2-9-4", {}),
    ("8x8x1-4c3-2a-6c2-4", {"optimizer": "sgd", "support": "inf", "epochs": 1}),
], ids=str)
def test_training_takes_the_course_of_the_cpu(as_gpu, by_patches, arch, settings):
    (gains, history, weights), (own_gains, own_history, own_weights) = (
        course(es.Network(arch, seed=1), place, **(SETTINGS | settings)) for place in ("cpu", "gpu"))
    assert (own_gains, own_history) == (gains, history)
    assert len(history) == 1 or history[-1]["loss"] < history[0]["loss"]
    for ours, theirs in zip(own_weights, weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("neuron, readout", [(LIF(tau_mem=5.0), None), (CubaLIF(), "max"), (es.SRM(), "mean")], ids=str)
def test_other_neurons_and_read_outs_take_the_course_of_the_cpu(as_gpu, neuron, readout):
    (gains, history, weights), (own_gains, own_history, own_weights) = (
        course(es.Network("8x8x1-20-4", neuron, readout=readout, seed=1), place, epochs=2) for place in ("cpu", "gpu"))
    assert (own_gains, own_history) == (gains, history)
    assert history[-1]["loss"] != history[0]["loss"]
    for ours, theirs in zip(own_weights, weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_batch_that_is_walked_in_pieces_gives_the_same_step(as_gpu, monkeypatch):
    weights = []
    for place in ("cpu", "gpu"):
        trainer = es.Trainer(es.Network(ARCH, seed=1).to(place), **(SETTINGS | {"support": "inf"}))
        monkeypatch.setattr("eventsim.trainer.worker._PAIRS_A_WALK", 1 << 13)
        trainer.fit(Patches(16))
        weights.append([layer.weight for layer in trainer.network.layers])
    for ours, theirs in zip(*weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_run_goes_on_where_it_stopped_on_another_device(as_gpu, tmp_path):
    data, course = Patches(16), {}
    for names in (("cpu", "cpu"), ("gpu", "cpu"), ("cpu", "gpu"), ("gpu", "gpu")):
        out = tmp_path / "-".join(names)
        trainer = es.Trainer(es.Network(ARCH, seed=1).to(names[0]), out=out, **SETTINGS)
        trainer.config.__dict__["epochs"] = 1
        trainer.fit(data)
        trainer.config.__dict__["epochs"] = 2
        trainer.save()
        es.Trainer.resume(out, names[1]).fit(data)
        with h5py.File(out / "model.h5") as file:
            course[names] = [file[f"weights/dense{i}"][()] for i in (1, 2)] + [
                file[f"training/optimizer/{name}"][()] for name in sorted(file["training/optimizer"])]
    for other in course.values():
        for ours, theirs in zip(other, course["cpu", "cpu"], strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_simulate_and_evaluate_print_what_they_print_of_the_cpu(as_gpu, recording, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    es.Trainer(es.Network("34x34x2-70-10", seed=1, n_ticks=100), epochs=1, out="run", calibrate=False,
               provenance={}).save()
    outputs = []
    for place in ("cpu", "gpu"):
        out = command("simulate", recording, "--model", "run", "--device", place, "--json", "--out", f"{place}.h5")
        assert out.pop("device") == place
        outputs.append(json.dumps(out, default=str))
        for layer in json.loads(outputs[-1])["layers"]:
            assert layer["spikes"] >= 0
    strip = [without_times(json.loads(text)) for text in outputs]
    assert strip[0] == strip[1]
    assert "key_events" in getattr(as_gpu, "launched", ["key_events"])
    compare_files(np.testing.assert_array_equal)


def without_times(value):
    """JSON without what is measured by the clock on the wall."""
    if isinstance(value, dict):
        return {k: without_times(v) for k, v in value.items() if k not in ("seconds", "time")}
    return [without_times(v) for v in value] if isinstance(value, list) else value


def test_evaluate_gives_the_metrics_of_the_cpu(as_gpu):
    network, data = es.Network(ARCH, seed=1), Patches(12)
    ours, theirs = evaluate(network.to("gpu"), data), evaluate(network, data)
    assert ours.summary() == theirs.summary()
    np.testing.assert_array_equal(ours.confusion, theirs.confusion)


def test_train_on_the_command_line(as_gpu, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    histories = []
    for place in ("cpu", "gpu"):
        done = command("train", "--arch", "34x34x2-16-10", "--samples", 20, "--validation-samples", 10, "--epochs", 1,
                       "--device", place, "--out", place, "--json")
        histories.append(without_times(done["history"]))
    assert histories[0] == histories[1]


class TestWhatDoesNotRunThere:
    def test_training_of_layers_that_only_simulate(self, as_gpu):
        network = es.Network("20-30-5")
        network.layers[0] = Sparse(20, 30, np.arange(21), np.arange(20), np.ones(20))
        for one in (network, es.Network("20-30r-5"), es.Network("20-30@d2-5")):
            with pytest.raises(ConfigError, match="simulation only so far"):
                es.Trainer(one.to("gpu"))

    def test_what_needs_a_queue_on_the_exact_clock_and_streams(self, as_gpu):
        network = es.Network("4x5x1-5", clock="exact").to("gpu")
        spikes = es.Spikes([0, 1], [0], time=[0.0], n_neurons=20, n_ticks=5)
        for notation in ("4x5x1-5@d2", "4x5x1-5r"):
            other = es.Network(notation).to("gpu")
            with pytest.raises(ConfigError, match=r"does not run on a GPU on the exact clock, where .*use the CPU, or"):
                forward_exact(other, spikes)
            with pytest.raises(ConfigError, match="does not run on a GPU on the exact clock, where spikes"):
                run_layer(other.layers[0], other.neurons[0], spikes, 1.0)
        with pytest.raises(ConfigError, match="are int8, which do not run on a GPU on the exact clock"):
            forward_exact(network.with_weights("int8"), spikes)
        with pytest.raises(ConfigError, match="the event queue runs on the CPU only"):
            forward_queue(network, spikes)
        with pytest.raises(ConfigError, match="a stream runs on the CPU only"):
            es.Stream(network)
        with pytest.raises(ConfigError, match="are int8, which do not run on a GPU on the exact clock; so far dense"):
            check_timed_layer(es.Network("20-5").with_weights("int8").layers[0], es.SRM())
        sparse = Sparse(20, 30, np.arange(21), np.arange(20), np.ones(20))
        with pytest.raises(ConfigError, match="of SRM neurons does not run on a GPU on the exact clock; so far dense"):
            check_timed_layer(sparse, es.SRM())
        with pytest.raises(ConfigError, match="does not run on a GPU on the exact clock, where spikes"):
            es.Trainer(es.Network("4x5x1-3c3-5@d2", clock="exact").to("gpu"))

    def test_devices_that_there_are_not(self, as_gpu, recording):
        assert "there is no gpu:3, the last one is gpu:0" in refused("simulate", recording, "--device", "gpu:3")
        for wrong in ("cuda", "gpu:", "GPU", 3):
            with pytest.raises(ConfigError, match="device must be cpu, gpu or"):
                es.Network("20-5").to(wrong)


def test_without_a_gpu_the_sentence_says_what_is_missing(monkeypatch, tmp_path):
    monkeypatch.setattr(available, "missing", lambda: "CuPy is not installed; install it with X")
    text = refused("simulate", tmp_path / "none.bin", "--device", "gpu")
    assert text == "Error: no GPU can be used: CuPy is not installed; install it with X, or use the CPU\n"
    with pytest.raises(DeviceError, match="CuPy is not installed"):
        es.Network("20-5").to("gpu")
    assert es.Network("20-5").to("cpu").device is None


def test_networks_move(as_gpu):
    network = es.Network("20-70-5", seed=2)
    ours = network.to("gpu")
    assert ours.to("gpu") is ours and network.to("cpu") is network
    assert ours.device is as_gpu and network.device is None
    back = ours.to("cpu")
    for a, b, c in zip(network.layers, ours.layers, back.layers, strict=True):
        np.testing.assert_array_equal(a.weight, b.weight)
        np.testing.assert_array_equal(a.packed, c.packed)
        assert c.packed.ctypes.data % 64 == 0
    ours.layers[0].weight = np.ones((20, 70))
    assert (ours.layers[0].weight == 1).all() and not (network.layers[0].weight == 1).any()


def test_a_profile_counts_what_it_counts_of_the_cpu(as_gpu, rng):
    network = es.Network("8x8x1-6c3-2p-20-4", seed=1)
    for layer in network.layers:
        layer.weight = 3.0 * layer.weight
    spikes, figures = random_spikes(rng, 64, 3, 40, 0.3), []
    for place in ("cpu", "gpu"):
        profile = Profile(network.to(place))
        profile.add(forward(profile.network, spikes))
        figures.append(profile.layer_figures())
    assert figures[0][-1]["spikes"] > 0
    assert without_times(figures[0]) == without_times(figures[1])


@pytest.mark.parametrize("weights", ["float32", "int8"])
def test_potentials_are_those_of_the_cpu(as_gpu, rng, weights):
    network = es.Network("8x8x1-6c3-70-4", seed=1).with_weights(weights)
    spikes = random_spikes(rng, 64, 2, 40, 0.3)
    for name in network.layer_names:
        want, got = (potentials(one, forward(one, spikes), name, [3, 1]) for one in (network, network.to("gpu")))
        assert np.ptp(want) > 0
        np.testing.assert_array_equal(got, want)

"""Training and evaluating on several devices at once: what one device gives, but for the order of sums of gradients."""

import h5py
import numpy as np
import pytest
from patches import Patches
from scenes import Dyadic, random_spikes

import eventsim as es
from eventsim.engine import forward
from eventsim.engine.gpu.devices import on_device, open_devices
from eventsim.errors import ConfigError, DeviceError
from eventsim.kernels.cuda import available
from eventsim.kernels.memory import on_host
from eventsim.model import LIF

from .test_whole import SETTINGS, command, refused, without_times

INF = np.inf
NORMALISED = "8x8x1-6c3-2p-bn-4c2p1-do0.2-9-4"
PLACES = ["gpu", "gpu:0,gpu:1", "gpus"]


class Even(Dyadic):
    """Its surrogate is 1 wherever it counts, so that gradients have few bits, too."""

    rho_width, rho_peak = 1e30, 1.0


def steps(network, place, spikes, labels, n=1, **settings):
    """A trainer after some steps on a batch."""
    trainer = es.Trainer(network, device=place, **({"true_count": 12, "false_count": 2, "optimizer": "sgd",
                                                    "learning_rate": 0.1} | settings))
    for _ in range(n):
        trainer.step(spikes, labels, trainer.config.learning_rate)
        trainer.position += 1
    return trainer


def numbers(trainer, rank=0):
    """All that training changed on a device."""
    network = trainer._replicas.networks[rank]
    norms = [layer.norm for layer in network.layers if layer.norm is not None]
    return [*map(on_host, network.parameters), *(norm.running_mean for norm in norms),
            *(norm.running_var for norm in norms)]


def assert_same(ours, theirs):
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(a, b)


def assert_same_figures(ours, theirs):
    """The metrics of two trainers, or passes, to the bit."""
    assert ours.samples > 0 and ours.spikes.all()
    for name, value in theirs.state().items():
        np.testing.assert_array_equal(ours.state()[name], value, err_msg=name)


@pytest.fixture
def batch(rng):
    """Spikes of an 8x8 sensor and their labels: seven samples, one of them without any."""
    return random_spikes(rng, 64, 7, 40, 0.15, empty=(2,)), np.arange(7) % 4


@pytest.mark.parametrize("neuron, arch, settings", [
    (None, "8x8x1-70-4", {}), (None, "8x8x1-70-4", {"support": INF}),
    (None, NORMALISED, {"rate_high": 2.0}), (LIF(tau_mem=5.0), NORMALISED, {"support": INF}),
    (None, "8x8x1-2p-bn-20-do0.3-4", {}), (None, "8x8x1-4c3-2a-6c2-4", {}),
], ids=str)
def test_a_step_is_that_of_the_whole_batch(as_gpus, batch, neuron, arch, settings):
    def fresh():
        network = es.Network(arch, neuron, seed=3)
        for layer in network.layers:
            if layer.n_weights:
                layer.weight = 1.5 * layer.weight
        return network

    before = numbers(steps(fresh(), "cpu", *batch, n=0, **settings))
    want = steps(fresh(), "cpu", *batch, **settings)
    for place in PLACES:
        trainer = steps(fresh(), place, *batch, **settings)
        assert_same_figures(trainer.metrics, want.metrics)
        for was, ours, theirs in zip(before, numbers(trainer), numbers(want), strict=True):
            change = theirs - was
            assert np.abs(change).max() > 0
            rounding = np.spacing(np.abs(theirs).max())  # of the parameter, that of its change besides
            np.testing.assert_allclose(ours - was, change, rtol=0, atol=1e-5 * np.abs(change).max() + rounding)


def test_a_step_on_the_exact_clock_is_that_of_one_device(as_gpus, batch):
    ticks, labels = batch
    spikes = es.Spikes(ticks.sample_ptr, ticks.address, time=ticks.tick + 0.3, n_neurons=64, n_ticks=40)
    want, trainer = (steps(es.Network("8x8x1-bn-20-do0.2-4", clock="exact", seed=3), place, spikes, labels)
                     for place in ("gpu", "gpus"))
    assert_same_figures(trainer.metrics, want.metrics)
    for ours, theirs in zip(numbers(trainer), numbers(want), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-5 * np.abs(theirs).max())


@pytest.mark.parametrize("support", [0.5, INF])
def test_sums_that_are_exact_have_the_same_bits(as_gpus, rng, support):
    spikes, labels = random_spikes(rng, 30, 7, 8, 0.3), np.arange(7) % 4

    def fresh():
        network = es.Network("30-70-4", Even(theta=4.0), seed=None)
        draw = np.random.default_rng(5)
        for layer in network.layers:
            layer.weight = draw.integers(-2, 5, layer.weight_shape) / 2
        return network

    settings = {"support": support, "learning_rate": 2.0**-9, "momentum": 0.0}
    want = steps(fresh(), "cpu", spikes, labels, **settings)
    assert all(np.any(a != b) for a, b in zip(numbers(want), fresh().parameters, strict=True))
    for place in PLACES:
        trainer = steps(fresh(), place, spikes, labels, **settings)
        assert_same(numbers(trainer), numbers(want))
        assert_same_figures(trainer.metrics, want.metrics)


@pytest.mark.parametrize("n_samples", [1, 2, 7])
def test_replicas_stay_equal_whether_they_have_samples_or_none(as_gpus, batch, n_samples):
    spikes, labels = batch[0].samples(0, n_samples), batch[1][:n_samples]
    trainer = steps(es.Network(NORMALISED, seed=3), "gpus", spikes, labels, n=3, optimizer="adam", learning_rate=0.01)
    others = range(1, len(as_gpus))
    for rank in others:
        assert trainer._replicas.networks[rank].device is as_gpus[rank]
        assert_same(numbers(trainer, rank), numbers(trainer))
        ours, theirs = (trainer._workers[i].optimizer.state() for i in (rank, 0))
        on_devices = [i for i, array in enumerate(trainer.network.parameters) if not isinstance(array, np.ndarray)]
        assert len(on_devices) == 4
        for i in on_devices:
            assert theirs[f"mean{i}"].any()
            assert_same([ours[f"mean{i}"], ours[f"square{i}"]], [theirs[f"mean{i}"], theirs[f"square{i}"]])
    again = steps(es.Network(NORMALISED, seed=3), "gpus", spikes, labels, n=3, optimizer="adam", learning_rate=0.01)
    assert_same(numbers(again), numbers(trainer))


def test_a_share_that_is_walked_in_pieces_draws_the_same_masks(as_gpus, batch, monkeypatch):
    arch, settings = "8x8x1-70-do0.3-4", {"support": INF}
    whole = steps(es.Network(arch, seed=3), "cpu", *batch, **settings)
    monkeypatch.setattr("eventsim.trainer.worker._PAIRS_A_WALK", 74 * 40)  # one sample a walk
    for place in ("cpu", "gpus"):
        pieces = steps(es.Network(arch, seed=3), place, *batch, **settings)
        assert_same_figures(pieces.metrics, whole.metrics)
        for ours, theirs in zip(numbers(pieces), numbers(whole), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-5 * np.abs(theirs).max())


def course(network, place, out=None, n=19, **settings):
    """A trainer after a training on 19 samples, whose last batch is of three."""
    trainer = es.Trainer(network, device=place, out=out, **(SETTINGS | {"learning_rate": 0.02} | settings))
    trainer.fit(es.data.Splits(Patches(n), Patches(5, seed=1), ""))
    return trainer


def test_a_whole_training_learns_as_on_one_device(as_gpus):
    one, several = (course(es.Network("8x8x1-bn-30-4", seed=1), place, epochs=3) for place in ("gpu", "gpus"))
    assert several.gains == one.gains
    assert several.history[-1]["loss"] < several.history[0]["loss"]
    for ours, theirs in zip(several.history, one.history, strict=True):
        assert ours["loss"] == pytest.approx(theirs["loss"], rel=0.02)
        assert ours["rates"] == pytest.approx(theirs["rates"], rel=0.02)
    assert all(device.launched for device in as_gpus if hasattr(device, "launched"))


class Stop(es.trainer.Observer):
    """Ends a run after the first batch of its second epoch."""

    def batch(self, trainer):
        if (trainer.epoch, trainer.position) == (1, 1):
            trainer.save()
            raise KeyboardInterrupt


def test_a_run_goes_on_on_other_devices(as_gpus, tmp_path):
    """And on the same as if it had not been stopped."""
    data, networks = Patches(10), {}
    for begun, others in (("gpus", ("cpu", "gpus")), ("cpu", ("cpu", "gpu:1,gpu:0"))):
        trainer = es.Trainer(es.Network(NORMALISED, seed=1), device=begun, out=tmp_path / begun, **SETTINGS)
        with pytest.raises(KeyboardInterrupt):
            trainer.fit(data, Stop())
        kept = (tmp_path / begun / "model.h5").read_bytes()
        for place in others:
            (tmp_path / begun / "model.h5").write_bytes(kept)
            resumed = es.Trainer.resume(tmp_path / begun, place)
            assert_same(numbers(resumed), numbers(trainer))
            resumed.fit(data)
            networks[begun, place] = numbers(resumed)
    straight = es.Trainer(es.Network(NORMALISED, seed=1), device="gpus", **SETTINGS)
    straight.fit(data)
    assert_same(networks["gpus", "gpus"], numbers(straight))
    for begun, place in (("gpus", "gpus"), ("cpu", "gpu:1,gpu:0")):
        for ours, theirs in zip(networks[begun, place], networks[begun, "cpu"], strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=2e-3 * np.abs(theirs).max() + 1e-6)


@pytest.mark.parametrize("arch, readout, duration", [
    ("8x8x1-6c3-2p-bn-20-4", None, 40.0), ("8x8x1-20-4", "max", 40.0), ("8x8x1-20-4", None, None)])
def test_a_pass_gives_the_figures_of_one_device(as_gpus, arch, readout, duration):
    network, data = es.Network(arch, readout=readout, seed=1), Patches(35)  # whose last batch is of one or two
    data.duration = duration
    want = es.evaluate(network, data, batch_size=3)
    for place in PLACES:
        found = es.evaluate(network, data, batch_size=3, device=place)
        assert found.summary() == want.summary() and found.binning == want.binning
        for name, value in want.state().items():
            np.testing.assert_array_equal(found.state()[name], value, err_msg=name)


class TestErrors:
    def test_of_one_device_is_the_sentence(self, as_gpus, batch):
        labels = batch[1].copy()
        labels[-1] = 9
        trainer = steps(es.Network(NORMALISED, seed=3), "gpus", *batch, n=0)
        with pytest.raises(ConfigError, match=r"^labels must lie in 0..3, got 0..9"):
            trainer.step(batch[0], labels, 0.1)

    def test_a_loss_that_is_not_finite_is_said(self, as_gpus, batch):
        trainer = steps(es.Network(NORMALISED, seed=3), "gpus", *batch, n=0)
        real = trainer.loss

        def broken(spikes, labels, neuron):
            result = real(spikes, labels, neuron)
            result.value[:] = np.nan if labels[0] else result.value
            return result

        trainer.loss = broken
        with pytest.raises(ConfigError, match="diverged in epoch 1: the loss is not finite any more; start again"):
            trainer.step(*batch, 0.1)

    def test_what_fails_on_a_device_fails_the_step(self, as_gpus, batch, monkeypatch):
        trainer = steps(es.Network(NORMALISED, seed=3), "gpus", *batch, n=0)
        monkeypatch.setattr(as_gpus[1], "put", lambda array: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            trainer.step(*batch, 0.1)


class TestNames:
    def test_that_name_nothing(self, as_gpus):
        network = es.Network("8x8x1-5-4")
        for wrong in ("cuda", "gpus,gpu", "gpu:0,", "gpu:0, gpu:1", "cpu,gpu", "", 3, ["gpu"]):
            with pytest.raises(ConfigError, match="device must be cpu, gpu or gpu:1, gpus for all of several"):
                es.Trainer(network, device=wrong)
        with pytest.raises(ConfigError, match="gpu,gpu:0 names a GPU twice"):
            es.evaluate(network, Patches(4), device="gpu,gpu:0")
        with pytest.raises(DeviceError, match="there is no gpu:9, the last one is gpu:"):
            es.Trainer(network, device="gpu:0,gpu:9")
        for names in ("gpus", "gpu:0,gpu:1"):
            with pytest.raises(ConfigError, match=f"one device is wanted here, got {names}; several GPUs are for"):
                network.to(names)

    def test_that_name_one(self, as_gpus, batch):
        network = es.Network("8x8x1-5-4")
        assert es.Trainer(network).network is network and es.Trainer(network, device="cpu").network is network
        there = on_device(network, as_gpus[1])
        assert es.Trainer(there).network is there
        moved = es.Trainer(network, device="gpu:1")
        assert moved.network is not network and moved.network.device is as_gpus[1]
        assert [each.device for each in es.Trainer(there, device="gpu:1,gpu")._replicas.networks] == [
            as_gpus[1], as_gpus[0]]


    def test_that_could_not_wait_for_each_other(self, as_gpus, monkeypatch):
        monkeypatch.setenv("CUPY_CUDA_PER_THREAD_DEFAULT_STREAM", "1")
        for several in ("gpus", "gpu:0,gpu:1"):
            with pytest.raises(ConfigError, match=r"CUPY_CUDA_PER_THREAD_DEFAULT_STREAM is set.*unset it, or name one"):
                open_devices(several)
        assert open_devices("gpu:1") == [as_gpus[1]]


class TestJoining:
    def test_without_nccl(self, as_gpus, monkeypatch):
        monkeypatch.setattr(available, "missing_to_join", lambda: "NCCL is not installed; install it with X")
        with pytest.raises(DeviceError, match="several GPUs cannot train at once: NCCL is not installed; install it "
                                              "with X, or use one of them"):
            es.Trainer(es.Network("8x8x1-5-4"), device="gpus")
        assert es.Trainer(es.Network("8x8x1-5-4"), device="gpu:1").network.device is as_gpus[1]
        assert es.evaluate(es.Network("8x8x1-5-4"), Patches(4), device="gpus").samples == 4

    def test_where_it_does_not_work(self, as_gpus, monkeypatch):
        def fail(devices):
            raise RuntimeError("NCCL_ERROR_SYSTEM_ERROR: unhandled system error")

        monkeypatch.setattr(available, "joined", fail)
        with pytest.raises(DeviceError, match="these GPUs cannot train at once: NCCL_ERROR_SYSTEM_ERROR: unhandled"):
            es.Trainer(es.Network("8x8x1-5-4"), device="gpus")


def test_on_the_command_line(as_gpus, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = command("train", "--arch", "34x34x2-16-10", "--samples", 10, "--validation-samples", 5, "--epochs", 1,
                   "--device", "gpus", "--out", "run", "--json")
    assert done["history"][0]["samples"] == 10
    with h5py.File("run/model.h5") as file:
        assert file["training/optimizer"]
    figures = []
    for place in ("cpu", "gpus"):
        figures.append(without_times(command("evaluate", "run", "--device", place, "--json")))
        assert figures[-1].pop("device") == place
    assert figures[0] == figures[1]
    assert "one device is wanted here, got gpus" in refused("simulate", "none.bin", "--device", "gpus")


def test_what_is_made_of_a_network_on_another_gpu_is_there(as_gpus, rng):
    network = es.Network("8x8x1-6c3-2p-bn-9-4", seed=1)
    spikes = random_spikes(rng, 64, 2, 30, 0.3)
    there = network.to("gpu:1")
    for weights in ("float32", "int8", "float16"):
        got, want = (forward(one.with_weights(weights), spikes) for one in (there, network))
        assert got.output == want.output and got.output.device is as_gpus[1]


def test_spikes_of_one_gpu_are_those_of_another(as_gpus, rng):
    network = es.Network("8x8x1-9-4", seed=1)
    network.layers[0].weight = 3.0 * network.layers[0].weight
    found = forward(network.to("gpu"), random_spikes(rng, 64, 2, 30, 0.3)).layers[0].spikes
    again = es.Network("9-4", seed=2)
    assert len(found) and forward(again.to("gpu:1"), found).output == forward(again, found).output

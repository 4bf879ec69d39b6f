"""What is read of the potentials of the last layer, on both clocks, and its gradient, against the naive recursion."""

import importlib

import numpy as np
import pytest
from naive import li as naive
from scenes import dense, random_spikes, shaken, step_in_two_ways
from spatial_scenes import matrix, random_times, spatial_network

from eventsim.engine import Sink, backward, potentials, run
from eventsim.errors import ConfigError
from eventsim.model import LI, LIF, SRM, Network
from eventsim.model.layers import Sparse
from eventsim.model.neurons.li import READOUTS
from eventsim.spikes import Spikes

TICKS = 90
ROUNDING = 1e-5
TAUS = (9.0, np.inf)


def network_of(rng, readout, tau, notation="30-70-6", dt=1.0, neuron=None):
    network = Network(notation, neuron or LIF(tau_mem=8.0), dt=dt, seed=None, readout=readout, readout_tau=tau)
    for layer in network.layers:
        layer.weight = 0.4 * network.neuron.theta * rng.normal(0.15, 1.0, layer.weight_shape)
    return network


def close(got, wanted):
    np.testing.assert_allclose(got, wanted, rtol=0, atol=ROUNDING * max(1.0, np.abs(wanted).max()))


def agrees(network, trace, bias=0.0):
    """What was read of the last layer is what the recursion says; returns the naive potentials of the samples."""
    given, readout = (trace.layers[-2].spikes if len(trace.layers) > 1 else trace.input), network.readout
    weight, dt, out = matrix(network.layers[-1]), network.dt, []
    assert len(trace.output) == 0 and trace.output.n_neurons == weight.shape[1]
    for b in range(given.n_samples):
        v = naive.potentials(dense(given, b), weight, readout.tau_mem, dt, bias)
        score, slope = naive.read(v, readout.readout)
        close(trace.readout.score[b], score)
        if readout.readout == "max":
            seen = v[np.rint(trace.readout.time[b] / dt).astype(int), np.arange(len(score))]
            close(seen, score)
            alone = (v >= score - 1e-4).sum(axis=0) == 1
            assert (trace.readout.time[b] == dt * np.argmax(slope, axis=0))[alone].all()
        else:
            assert trace.readout.time is None
        out.append(v)
    assert (trace.predict() == trace.readout.score.argmax(axis=1)).all()
    return out


@pytest.mark.parametrize("tau", TAUS)
@pytest.mark.parametrize("readout", READOUTS)
@pytest.mark.parametrize("dt", [1.0, 0.5])
def test_dense_layers_on_the_grid(readout, tau, dt, rng):
    network = network_of(rng, readout, tau, dt=dt)
    spikes = random_spikes(rng, 30, n_ticks=TICKS, rate=0.03, empty=(1,), dt=dt)
    trace = run(network, spikes)
    wanted = agrees(network, trace)
    assert np.abs(wanted[0]).max() > 1 and not trace.readout.score[1].any()
    for b in range(3):
        close(potentials(network, trace, "dense2", [4, 1], b), wanted[b][:, [4, 1]].T)


@pytest.mark.parametrize("notation", ["7x6x2-12c3-5c2", "7x6x2-70c3", "6x6x2-8c3p1-2p-3c2s2"])
@pytest.mark.parametrize("readout", READOUTS)
def test_convolutions(notation, readout, rng):
    network = network_of(rng, readout, 9.0, notation)
    spikes = random_spikes(rng, network.arch.n_inputs, n_ticks=40, rate=0.03)
    trace = run(network, spikes)
    if "2p" in notation:  # the spikes behind the pool, of which each counts a quarter
        done = trace.layers[-1]
        weight, readout = 0.25 * matrix(network.layers[-1]), network.readout
        for b in range(3):
            v = naive.potentials(dense(done.feed.spikes, b), weight, readout.tau_mem, 1.0)
            close(trace.readout.score[b], naive.read(v, readout.readout)[0])
    else:
        agrees(network, trace)
    assert trace.synops > 0 and trace.layers[-1].synops == run(network, spikes, supports=[1.0] * len(
        network.layers)).layers[-1].synops


@pytest.mark.parametrize("tau", TAUS)
@pytest.mark.parametrize("readout", READOUTS)
def test_silences_and_a_constant_input(readout, tau, rng):
    """Largest potentials lie at arrivals, before them, or where a constant input has led in the end."""
    network = network_of(rng, readout, tau, "40-6")
    layer = network.layers[0]
    for gain in (0.0, 0.02, -0.02):
        for sign in (1.0, -1.0):
            layer.weight = sign * np.abs(rng.normal(0.1, 1.0, (40, 6)))
            layer.bias = gain * np.abs(rng.normal(1.0, 1.0, 6)) if gain else None
            trace = run(network, random_spikes(rng, 40, n_ticks=200, rate=0.001, empty=(2,)))
            agrees(network, trace, 0.0 if layer.bias is None else layer.bias)


@pytest.mark.parametrize("weights", ["int8", "float16"])
@pytest.mark.parametrize("readout", READOUTS)
def test_weights_in_fewer_bits(readout, weights, rng):
    network = network_of(rng, readout, 9.0, "30-6")
    spikes = random_spikes(rng, 30, n_ticks=TICKS)
    exact, rough = run(network, spikes).scores, run(network.with_weights(weights), spikes).scores
    np.testing.assert_allclose(rough, exact, rtol=0, atol=0.02 * np.abs(exact).max())
    assert (rough != exact).any()


@pytest.mark.parametrize("tau", TAUS)
@pytest.mark.parametrize("readout", READOUTS)
@pytest.mark.parametrize("notation", ["30-40-6", "5x4x2-6c3p1-2c2", "30-6"])
def test_in_continuous_time(notation, readout, tau, rng):
    for neuron in (LIF(tau_mem=8.0), SRM(theta=1.0, tau_syn=4.0)):
        network = network_of(rng, readout, tau, notation, neuron=neuron)
        network.n_ticks = 50
        spikes = random_times(rng, network, 60, n_samples=2)
        trace = run(network, spikes)
        given, weight = (trace.layers[-2].spikes if len(trace.layers) > 1 else spikes), matrix(network.layers[-1])
        for b in range(2):
            one = given.sample(b)
            times = list(zip(one.time.tolist(), one.address.tolist(), strict=True))
            wanted = naive.in_continuous_time(times, weight, tau, 50.0, readout)
            close(trace.readout.score[b], wanted)
            if readout == "max":
                fine = np.unique(np.concatenate((one.time, np.nextafter(one.time, 0.0), trace.readout.time[b])))
                seen = potentials(network, trace, trace.layers[-1].name, np.arange(len(wanted)), b, fine)
                close(np.maximum(seen.max(axis=1), 0.0), np.maximum(wanted, 0.0))


@pytest.mark.parametrize("readout", READOUTS)
@pytest.mark.parametrize("tau", TAUS)
def test_a_constant_current_in_continuous_time(readout, tau, rng):
    network = network_of(rng, readout, tau, "20-5", dt=0.5)
    network.n_ticks, bias = 80, rng.normal(0.0, 0.05, 5)
    network.layers[0].bias = bias
    spikes = random_times(rng, network, 30)
    times = list(zip(spikes.time.tolist(), spikes.address.tolist(), strict=True))
    wanted = naive.in_continuous_time(times, matrix(network.layers[0]), tau, 40.0, readout, bias / 0.5)
    close(run(network, spikes).scores[0], wanted)


@pytest.mark.parametrize("readout", READOUTS)
def test_fine_ticks_come_to_continuous_time(readout, rng):
    network = network_of(rng, readout, 9.0, "20-5")
    network.n_ticks = 60
    timed, apart = random_times(rng, network, 40), []
    exact = run(network, timed).scores
    for finer in (1, 32):
        network.dt = 1.0 / finer
        tick = np.floor(timed.time * finer).astype(np.int32)
        order = np.lexsort((timed.address, tick))
        binned = Spikes([0, 40], timed.address[order], tick=tick[order], n_neurons=20, n_ticks=60 * finer,
                        dt=network.dt)
        apart.append(np.abs(run(network, binned).scores - exact).max())
    assert apart[1] < apart[0] / 4 and apart[1] < 0.02 * np.abs(exact).max()


def gradients(network, trace, errors):
    arrays = [np.zeros_like(layer.packed) for layer in network.layers]
    backward(network, trace, errors.__getitem__, [Sink(gradient=array) for array in arrays])
    return arrays


def by_weight(layer, rows):
    """A gradient as `Layer.weight` is laid out."""
    if layer.kind == "dense":
        return rows.transpose(1, 0, 2).reshape(layer.n_in, -1)[:, : layer.n_out]
    return rows.reshape(-1)[: layer.weight.size].reshape(layer.weight_shape)


@pytest.mark.parametrize("notation", ["30-6", "6x5x2-3c2"])
@pytest.mark.parametrize("tau", TAUS)
@pytest.mark.parametrize("readout", READOUTS)
def test_gradients_are_those_of_finite_differences(readout, tau, notation, rng):
    """A score is differentiable in the weights: here it is linear in them, but where the largest is another one."""
    network = network_of(rng, readout, tau, notation, dt=0.5)
    layer, spikes = network.layers[0], random_spikes(rng, 30 if notation == "30-6" else 60, n_ticks=TICKS, dt=0.5)
    trace = run(network, spikes, supports=[np.inf])
    errors = rng.normal(size=trace.scores.shape).astype(np.float32)
    got, weight, step = by_weight(layer, gradients(network, trace, errors)[0]), layer.weight, 2.0**-6
    for place in rng.choice(weight.size, 12, replace=False):
        sides = []
        for sign in (1.0, -1.0):
            moved = weight.copy()
            moved.reshape(-1)[place] += sign * step
            layer.weight = moved
            moved_trace = run(network, spikes)
            if readout == "max" and (moved_trace.readout.time != trace.readout.time).any():
                break  # another tick is the largest now: a kink
            sides.append(float((moved_trace.scores * errors).sum()))
        if len(sides) == 2:
            wanted = (sides[0] - sides[1]) / (2 * step)
            assert got.reshape(-1)[place] == pytest.approx(wanted, rel=2e-3, abs=2e-4 * float(np.abs(got).max()))


@pytest.mark.parametrize("tau", TAUS)
@pytest.mark.parametrize("readout", READOUTS)
@pytest.mark.parametrize("support", [0.6, np.inf])
def test_gradients_reach_the_layer_below(readout, tau, support, rng):
    """The error of a hidden spike is what it adds to the scores, by the naive adjoint."""
    network = network_of(rng, readout, tau, dt=0.5)
    spikes = random_spikes(rng, 30, n_ticks=TICKS, rate=0.05, dt=0.5)
    trace = run(network, spikes, supports=[support, np.inf])
    errors = rng.normal(size=(3, 6)).astype(np.float32)
    hidden, weight = trace.layers[0].spikes, matrix(network.layers[1])
    below, top = np.zeros((3, 70, TICKS)), np.zeros((70, 6))
    for b in range(3):
        v = naive.potentials(dense(hidden, b), weight, tau, 0.5)
        g = naive.adjoint(naive.read(v, readout)[1], tau, 0.5) * errors[b]
        below[b], top = (g @ weight.T).T, top + dense(hidden, b).T @ g
    found = gradients(network, trace, errors)
    got = [by_weight(layer, rows) for layer, rows in zip(network.layers, found, strict=True)]
    close(got[1] / np.abs(top).max(), top / np.abs(top).max())
    alone = Network("30-70", network.neuron, dt=0.5, seed=None)
    alone.layers[0].weight = network.layers[0].weight
    wanted = gradients(alone, run(alone, spikes, supports=[support]), below.astype(np.float32))[0]
    wanted = by_weight(alone.layers[0], wanted)
    assert np.abs(wanted).max() > 0
    close(got[0] / np.abs(wanted).max(), wanted / np.abs(wanted).max())


@pytest.mark.parametrize("readout", READOUTS)
@pytest.mark.parametrize("notation", ["30-70-6", "5x3x2-6c3p1-2c2"])
def test_a_batch_is_its_samples_and_threads_change_no_bit(notation, readout, rng):
    network = network_of(rng, readout, 9.0, notation)
    spikes = random_spikes(rng, 30, n_samples=5, n_ticks=TICKS, rate=0.04, empty=(2,))
    errors = rng.normal(size=(5, network.arch.n_outputs)).astype(np.float32)

    def outcome(n_threads):
        with shaken(n_threads):
            trace = run(network, spikes, supports=[0.6, np.inf])
            return trace.readout.score, gradients(network, trace, errors)

    score, found = outcome(1)
    for threads in (2, 3):
        again, others = outcome(threads)
        np.testing.assert_array_equal(score, again)
        for one, other in zip(found, others, strict=True):
            np.testing.assert_array_equal(one, other)
    singly = [run(network, spikes.sample(b)).scores[0] for b in range(5)]
    np.testing.assert_array_equal(score, singly)


@pytest.mark.parametrize("readout", READOUTS)
def test_nothing_at_all(readout):
    network = Network("4-3", LIF(), readout=readout)
    for given in ({"tick": []}, {"time": []}):
        for n_samples, n_ticks in ((0, 5), (2, 0), (2, 5)):
            spikes = Spikes([0] * (n_samples + 1), [], **given, n_neurons=4, n_ticks=n_ticks)
            trace = run(network, spikes)
            assert trace.scores.shape == (n_samples, 3) and not trace.scores.any()
    for n_ticks in (0, 5):
        spikes = Spikes([0, 0], [], tick=[], n_neurons=4, n_ticks=n_ticks)
        assert not gradients(network, run(network, spikes, supports=[1.0]), np.ones((1, 3), np.float32))[0].any()


def test_integrators_are_for_the_end_of_a_network():
    with pytest.raises(ConfigError, match="LI is for the last layer: name it as readout"):
        Network("4-3-2", LI())
    network = Network("4-3-2", LIF())
    network.layers[0].neuron = LI()
    spikes = Spikes([0, 0], [], tick=[], n_neurons=4, n_ticks=5)
    with pytest.raises(ConfigError, match=r"neurons of dense1 are LI.*which never spike, so nothing reaches the"):
        run(network, spikes)
    for notation in ("4-3r", "4-3@d1", "4x4x1-2a"):
        with pytest.raises(ConfigError, match="potentials are read of a dense or convolutional layer without delays"):
            Network(notation, LIF(), readout="mean")
    network = Network("4-3", LIF(), readout="mean")
    network.layers[0] = Sparse(4, 3, [0, 1, 1, 1, 1], [2], [1.0])
    network.layers[0].neuron = LI()
    with pytest.raises(ConfigError, match="sparse1 is a sparse layer"):
        run(network, spikes)


@pytest.mark.parametrize("settings, words", [
    ({"readout": "median"}, "readout must be mean or last or max, got 'median'"),
    ({"readout": "mean", "readout_tau": 0.0}, "^readout_tau must be a "),
    ({"readout_tau": 5.0}, "readout_tau is the time constant of a readout named mean, last or max, got 5.0 without"),
    ({"readout": LI(), "readout_tau": 5.0}, "leave it out, or name one"),
])
def test_readouts_that_cannot_be(settings, words):
    with pytest.raises(ConfigError, match=words):
        Network("4-3", LIF(), **settings)


def test_the_time_constant_is_that_of_the_neurons():
    assert Network("4-3", LIF(tau_mem=7.0), readout="max").readout == LI(tau_mem=7.0, readout="max")
    assert Network("4-3", SRM(), readout="max").readout == LI(readout="max")
    assert Network("4-3", LIF(), readout=LI(tau_mem=np.inf)).readout.tau_mem == np.inf
    assert Network("4-3", LIF()).readout is None


def ended(network, rng, n_spikes=60):
    """A batch of input spikes at any times, some of them after the last tick."""
    array = random_times(rng, network, n_spikes, n_samples=3).to_structured()
    end, late = network.n_ticks * network.dt, rng.random(len(array)) < 0.1
    array["time"][late] = end - network.dt * rng.uniform(0.0, 1.0, late.sum())
    return Spikes.from_structured(array, n_samples=3, n_neurons=network.arch.n_inputs, n_ticks=network.n_ticks,
                                  dt=network.dt)


@pytest.mark.parametrize("notation, n_ticks", [("30-6", 50), ("30-6", 64), ("6x5x2-3c2", 50), ("6x5x2-2p-bn-3c2", 64)])
@pytest.mark.parametrize("tau", TAUS)
@pytest.mark.parametrize("readout", ["mean", "last"])
def test_gradients_in_continuous_time_are_those_of_finite_differences(readout, tau, notation, n_ticks, rng):
    """The score is linear in the weights, and by constant input in those of a normalised layer."""
    network = spatial_network(rng, notation, LIF(), n_ticks, 0.5)
    network.layers[0].neuron = LI(tau_mem=tau, readout=readout)
    layer, spikes = network.layers[0], ended(network, rng)
    trace = run(network, spikes, supports=[np.inf])
    np.testing.assert_array_equal(trace.scores, run(network, spikes).scores)
    errors = rng.normal(size=trace.scores.shape).astype(np.float32)
    arrays = [np.zeros_like(array) for array in network.parameters]
    backward(network, trace, errors.__getitem__, [Sink(gradient=array) for array in arrays])
    got, weight = by_weight(layer, arrays[0]), layer.weight.astype(float)
    for place in rng.choice(weight.size, 12, replace=False):
        sides = []
        for sign in (1.0, -1.0):
            moved = weight.copy()
            moved.reshape(-1)[place] += sign
            layer.weight = moved
            sides.append(float((run(network, spikes).scores * errors).sum()))
        wanted = (sides[0] - sides[1]) / 2.0
        assert got.reshape(-1)[place] == pytest.approx(wanted, rel=1e-4, abs=2e-5 * float(np.abs(got).max()))


@pytest.mark.parametrize("n_ticks", [50, 64])
@pytest.mark.parametrize("tau", TAUS)
@pytest.mark.parametrize("readout", ["mean", "last"])
def test_gradients_in_continuous_time_reach_the_layer_below(readout, tau, n_ticks, rng):
    """The error of a hidden spike is what one at its tick adds to the scores."""
    for neuron in (LIF(tau_mem=8.0), SRM(theta=1.0, tau_syn=4.0)):
        network = network_of(rng, readout, tau, dt=0.5, neuron=neuron)
        network.n_ticks = n_ticks
        spikes, end = ended(network, rng), 0.5 * n_ticks
        trace = run(network, spikes, supports=[0.6, np.inf])
        errors, hidden = rng.normal(size=(3, 6)).astype(np.float32), trace.layers[0].spikes

        def adds(time, end=end):
            return naive.in_continuous_time([(time, 0)], np.ones((1, 1)), tau, end, readout)[0]

        by_tick, top = np.array([adds(0.5 * k) for k in range(n_ticks)]), np.zeros((70, 6))
        below = (errors @ matrix(network.layers[1]).T)[:, :, None] * by_tick
        for b in range(3):
            one = hidden.sample(b)
            for time, j in zip(one.time, one.address, strict=True):
                top[j] += adds(time) * errors[b]
        assert len(hidden) > 30
        found = gradients(network, trace, errors)
        got = [by_weight(layer, rows) for layer, rows in zip(network.layers, found, strict=True)]
        close(got[1] / np.abs(top).max(), top / np.abs(top).max())
        alone = Network("30-70", neuron, dt=0.5, n_ticks=n_ticks, seed=None)
        alone.layers[0].weight = network.layers[0].weight
        wanted = gradients(alone, run(alone, spikes, supports=[0.6]), below.astype(np.float32))[0]
        wanted = by_weight(alone.layers[0], wanted)
        assert np.abs(wanted).max() > 0
        close(got[0] / np.abs(wanted).max(), wanted / np.abs(wanted).max())


@pytest.mark.parametrize("rows", [2400, 81])
def test_a_step_on_the_way_is_a_step_afterwards_in_continuous_time(rows, monkeypatch, rng):
    """Also where there is room for g of two samples of a hidden layer, and of one in which the end is a tick too."""
    monkeypatch.setattr(importlib.import_module("eventsim.engine.adjoint"), "_BLOCK_ROWS", rows)
    networks = [network_of(np.random.default_rng(5), "mean", 9.0, "20-70-3") for _ in range(2)]
    for network in networks:
        network.n_ticks = 40
    batches = [(ended(networks[0], rng), rng.normal(size=(3, 3)).astype(np.float32)) for _ in range(3)]
    state = step_in_two_ways(networks, batches)
    assert all(np.abs(state[f"mean{i}"]).max() > 0 for i in range(2))


def test_what_is_not_there_yet_is_refused(rng):
    network = network_of(rng, "max", 9.0)
    network.n_ticks, network.clock = 50, "exact"
    with pytest.raises(ConfigError, match="largest potentials are read are trained on the grid clock only so far"):
        run(network, random_times(rng, network, 20), supports=[1.0, 1.0])
    from eventsim.engine import forward

    with pytest.raises(ConfigError, match="no psp that could be truncated"):
        forward(Network("30-6", SRM(), readout="mean"), random_spikes(rng, 30), truncate=True)


@pytest.mark.parametrize("notation", ["8x6x2-6c3-2p-3c2", "5x4x2-6c3p1-bn-4", "8x8x2-2p-bn-5"])
@pytest.mark.parametrize("clock", ["grid", "exact"])
def test_the_last_potential_behind_stages_is_that_of_the_end(notation, clock, rng):
    network = spatial_network(rng, notation, LIF(tau_mem=6.0), dt=0.5)
    network.layers[-1].neuron = LI(tau_mem=9.0, readout="last")
    spikes = random_times(rng, network, 80, n_samples=2)
    if clock == "grid":
        order = np.lexsort((spikes.address, np.floor(2 * spikes.time), np.repeat([0, 1], 80)))
        spikes = Spikes([0, 80, 160], spikes.address[order], tick=np.floor(2 * spikes.time[order]).astype(np.int32),
                        n_neurons=network.arch.n_inputs, n_ticks=60, dt=0.5)
    trace = run(network, spikes)
    everybody = np.arange(network.arch.n_outputs)
    for b in range(2):
        time = None if clock == "grid" else [30.0]
        wanted = potentials(network, trace, trace.layers[-1].name, everybody, b, time)[:, -1]
        assert np.abs(wanted).max() > 0
        close(trace.scores[b], wanted)

"""What the engine refuses, with a sentence, before anything is computed."""

import math

import numpy as np
import pytest

from eventsim.engine import Sink, backward, forward, simulate
from eventsim.engine.exact import forward_exact
from eventsim.errors import ConfigError
from eventsim.events import Events
from eventsim.model import Network
from eventsim.sensor import Sensor
from eventsim.spikes import Spikes


@pytest.fixture
def network():
    return Network("5x4x2-6-3")


def spikes(**changed):
    return Spikes(**({"sample_ptr": [0, 1], "address": [7], "tick": [2], "n_neurons": 40, "n_ticks": 9} | changed))


@pytest.mark.parametrize("wrong, word", [
    (spikes(tick=None, time=[2.0]), "exact times"), (spikes(n_neurons=41), "40 input addresses, got 41"),
    (spikes(dt=0.5), "0.5 ms"), (None, "Spikes"), (np.zeros((3, 40)), "Spikes"), ([], "Spikes"),
], ids=str)
def test_input_must_be_spikes_of_the_network_s_clock_and_size(network, wrong, word):
    with pytest.raises(ConfigError, match=word):
        forward(network, wrong)


@pytest.mark.parametrize("wrong, word", [
    (spikes(), "have ticks"), (spikes(tick=None, time=[2.0], n_neurons=41), "40 input addresses, got 41"),
    (None, "Spikes"),
], ids=str)
def test_input_of_the_exact_clock_must_be_times_of_the_network_s_size(network, wrong, word):
    with pytest.raises(ConfigError, match=word):
        forward_exact(network, wrong)


def test_a_batch_without_samples_is_empty_on_the_exact_clock(network):
    trace = forward_exact(network, Spikes([0], [], tick=None, time=[], n_neurons=40, n_ticks=9))
    trace.output.check()
    assert (trace.output.n_samples, trace.output.n_neurons) == (0, 3)


@pytest.mark.parametrize("supports", [
    [], [0.3], [0.3] * 3, 0.3, "auto", ["0.3", "inf"], [math.nan, 0.3], [-0.1, 0.3], [0.3, None], [True, 0.3],
    [0.0, 1.0],
], ids=repr)
def test_supports_are_a_positive_number_a_layer(network, supports):
    with pytest.raises(ConfigError, match="support"):
        forward(network, spikes(), supports=supports)


def test_a_trace_without_active_sets_has_no_gradient(network):
    sinks = [Sink(gradient=np.zeros_like(layer.packed)) for layer in network.layers]
    with pytest.raises(ConfigError, match="supports"):
        backward(network, forward(network, spikes()), lambda b: np.zeros((3, 9), np.float32), sinks)


@pytest.mark.parametrize("precision", ["float16", "int8"])
def test_weights_of_fewer_bits_only_infer(network, precision):
    small = network.with_weights(precision)
    assert forward(small, spikes()).output.n_neurons == 3
    for arguments in ({"supports": [0.3, math.inf]}, {"truncate": True}):
        with pytest.raises(ConfigError, match=f"weights of {precision} are for inference"):
            forward(small, spikes(), **arguments)


def test_a_recording_must_fit_the_network(network):
    events = Events([0], [0], [0], [0], Sensor(5, 4, 1))
    with pytest.raises(ConfigError, match="recording is of a 5x4x1 sensor, the network takes events of a 5x4x2 sensor"):
        simulate(network, events)
    for clock in ("1ms", "", 3, ["grid"]):
        with pytest.raises(ConfigError, match="clock must be"):
            simulate(network, Events([0], [0], [0], [0], Sensor(5, 4, 2)), clock=clock)
    for nothing in (None, [], np.zeros(3), "recording.bin"):
        with pytest.raises(ConfigError, match="Events"):
            simulate(network, nothing)


def test_a_recording_without_events_gives_an_empty_trace(network):
    for clock in ("grid", "exact"):
        trace = simulate(network, Events([], [], [], [], Sensor(5, 4, 2)), clock=clock)
        assert (len(trace.output), trace.synops, trace.output.n_samples) == (0, 0, 1)
        assert trace.predict().tolist() == [0]

"""Active sets are kept chunk by chunk: nothing is sized neurons x ticks, and what has no room is run once more."""

import pytest
from conv_scenes import conv_network, random_conv_network
from exact_gradient_scenes import random_times
from lif_scenes import NEURONS, network_of
from scenes import random_network, random_spikes, some_but_not_all

from eventsim.engine import forward
from eventsim.engine.exact import forward_exact
from eventsim.engine.gpu import keeping
from eventsim.engine.gpu.devices import on_device
from eventsim.model import SRM

from .test_exact_backward import compare_active
from .test_forward import assert_same, scene

# Entries and pairs that there is room for: none, none of one kind, and some.
ROOMS = [(0, 0), (1 << 20, 0), (0, 1 << 20), (60, 1 << 20), (300, 1000)]


@pytest.fixture
def room_for(monkeypatch):
    """A function that says for how many entries and pairs there is room at first."""
    return lambda room: monkeypatch.setattr(keeping, "_first_room", lambda *_: list(room))


@pytest.mark.parametrize("room", ROOMS, ids=str)
def test_what_has_no_room_is_run_once_more(one_device, rng, room_for, room):
    network, spikes = scene(rng)
    want = forward(network, spikes, supports=(0.3, 1.5, 0.5))
    room_for(room)
    assert_same(forward(on_device(network, one_device), spikes, supports=(0.3, 1.5, 0.5)), want)


@pytest.mark.parametrize("notation, neuron", [
    ("9x8x2-12c3-2p-bn-16c3-5", SRM(tau_syn=3.0)), ("9x8x2-12c3-2a-5", NEURONS["current, hard"])])
def test_constant_inputs_and_other_neurons(one_device, rng, room_for, notation, neuron):
    spikes = random_spikes(rng, conv_network(notation).arch.n_inputs, 3, 70, 0.1, empty=(1,))
    network = random_conv_network(rng, notation, spikes, neuron)
    want = forward(network, spikes, supports=(0.5,) * len(network.layers))
    room_for((100, 500))
    assert_same(forward(on_device(network, one_device), spikes, supports=(0.5,) * len(network.layers)), want)


@pytest.mark.parametrize("kind", ["plain", "dead"])
@pytest.mark.parametrize("room_for_spikes", [1, 1000])
def test_continuous_time_where_spikes_or_active_ticks_have_no_room(
    one_device, rng, room_for, kind, room_for_spikes, monkeypatch
):
    """Where there is no room for the spikes the layer is run again anyway."""
    monkeypatch.setattr("eventsim.engine.gpu.exact._FIRST_ROOM", room_for_spikes)
    network = random_network(rng, (12, 70, 9), (5.0, 2.0)) if kind == "plain" else network_of(
        rng, NEURONS[kind], (12, 70, 9))
    spikes = random_times(rng, 12, 150, 150)
    want = forward_exact(network, spikes, supports=(0.5, 1.5))
    room_for((20, 100))
    compare_active(one_device, forward_exact(on_device(network, one_device), spikes, supports=(0.5, 1.5)), want)


def test_room_is_what_the_last_run_took(one_device, rng, monkeypatch):
    network = on_device(random_network(rng, (50, 130), (3.0,)), one_device)
    spikes, launched, launch = random_spikes(rng, 50, 3, 100), [], one_device.launch
    monkeypatch.setattr(one_device, "launch", lambda name, **given: launched.append(name) or launch(name, **given))
    monkeypatch.setattr(keeping, "_FIRST_SHARE", 0.0)
    monkeypatch.setattr(keeping, "_SPARE", 1.0)
    for runs in (2, 1, 1):
        trace = forward(network, spikes, supports=(1000.0,))
        assert trace.layers[0].active.n_pairs == 130 * 3 * 100
        assert launched.count("dense_forward_active") == runs
        launched.clear()


def test_nothing_is_sized_neurons_times_ticks(one_device, rng, monkeypatch):
    network, spikes = scene(rng, n_ticks=200)
    ours, made, empty = on_device(network, one_device), [], one_device.empty
    monkeypatch.setattr(one_device, "empty", lambda *given: made.append(empty(*given)) or made[-1])
    trace = forward(ours, spikes, supports=(0.1, 0.1, 0.1))
    assert all(some_but_not_all(done.spikes) for done in trace.layers)
    assert max(array.nbytes for array in made) < 4 * 192 * 3 * 200 // 2

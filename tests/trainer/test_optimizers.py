"""Every optimiser against its printed algorithm, and by hand."""

import numpy as np
import pytest
from naive import optimizer as naive
from scenes import random_network, random_spikes, step_in_two_ways

from eventsim.errors import ConfigError
from eventsim.kernels.layout import TILE
from eventsim.trainer import TrainingConfig
from eventsim.trainer.optimizers import OPTIMIZERS, SGD, AdamW, NAdam

NAIVE = {
    "adam": naive.adam, "adamw": lambda *a, **k: naive.adam(*a, **{"weight_decay": 0.01} | k), "nadam": naive.nadam,
    "sgd": naive.sgd,
}
OTHER_SETTINGS = [("adamw", {"weight_decay": 0.3}), ("sgd", {"momentum": 0.0}), ("sgd", {"momentum": 0.99})]


def stepped(optimizer, weight, gradients, rates):
    """The weight after a step for each gradient."""
    weight = weight.copy()
    for g, rate in zip(gradients, rates, strict=True):
        gradient = g.copy()
        optimizer.begin(rate)
        optimizer.update(0, weight, gradient)
        assert not gradient.any()
    return weight


@pytest.mark.parametrize("rate", [1e-3, 0.1])
@pytest.mark.parametrize(("name", "settings"), [*((name, {}) for name in OPTIMIZERS), *OTHER_SETTINGS], ids=str)
def test_it_is_the_printed_algorithm(rng, name, settings, rate):
    start = rng.normal(size=(2, TILE)).astype(np.float32)
    sizes = np.logspace(-6, 3, 2 * TILE).reshape(2, TILE)
    gradients = (rng.normal(size=(20, 2, TILE)) * sizes).astype(np.float32)
    gradients[:, 1, 7] = 0.0
    got = stepped(OPTIMIZERS[name]([start], **settings), start, gradients, [rate] * 20)
    want = NAIVE[name](start.astype(float), gradients.astype(float), rate, **settings)
    np.testing.assert_allclose(got - start, want - start, rtol=2e-3, atol=1e-3 * rate)
    loss = 0.0 if name != "adamw" else 1 - (1 - rate * settings.get("weight_decay", 0.01)) ** 20
    np.testing.assert_allclose(got[1, 7], start[1, 7] * (1 - loss), rtol=1e-6)


def by_hand(optimizer):
    """The weight 1 after the gradients 2 and -1, at the rates 0.1 and 0.2."""
    start = np.zeros((1, TILE), np.float32)
    start[0, 0] = 1.0
    gradients = np.zeros((2, 1, TILE), np.float32)
    gradients[:, 0, 0] = 2.0, -1.0
    out = stepped(optimizer, start, gradients, (0.1, 0.2))
    assert not out[0, 1:].any()
    return out[0, 0]


def test_descent_by_hand():
    start = [np.empty((1, TILE), np.float32)]
    # velocity 2, then 0.5 * 2 - 1 = 0
    assert by_hand(SGD(start, momentum=0.5)) == pytest.approx(1 - 0.1 * 2)
    # and 0.9 * 2 - 1 = 0.8
    assert by_hand(SGD(start)) == pytest.approx(1 - 0.1 * 2 - 0.2 * 0.8)


def test_adaptive_steps_by_hand():
    """After 2 and -1 the mean is 0.1 * (0.9 * 2 - 1) = 0.08, and the mean square 0.001 * (0.999 * 4 + 1) = 0.004996."""
    start = [np.empty((1, TILE), np.float32)]
    mean, root = 0.08 / 0.19, np.sqrt(0.004996 / 0.001999)
    first = 1 - 0.1
    assert by_hand(OPTIMIZERS["adam"](start)) == pytest.approx(first - 0.2 * mean / root)
    decayed = 1 - 0.1 - 0.1 * 0.5
    assert by_hand(AdamW(start, weight_decay=0.5)) == pytest.approx(decayed - 0.2 * mean / root - 0.2 * 0.5 * decayed)
    # Ahead: (0.9 * 0.2 + 0.1 * 2) / 0.1 = 3.8 over a root of 2, then (0.9 * 0.08 - 0.1) / 0.19.
    assert by_hand(NAdam(start)) == pytest.approx(1 - 0.1 * 1.9 - 0.2 * (0.072 - 0.1) / 0.19 / root)


def test_what_is_not_decayed_keeps_its_weight(rng):
    start = [rng.normal(size=(1, TILE)).astype(np.float32) for _ in range(2)]
    optimizer, weights = AdamW(start, decayed=[True, False], weight_decay=0.5), [w.copy() for w in start]
    optimizer.begin(0.1)
    for i, weight in enumerate(weights):
        optimizer.update(i, weight, np.zeros_like(weight))
    np.testing.assert_allclose(weights[0], 0.95 * start[0], rtol=1e-6)
    np.testing.assert_array_equal(weights[1], start[1])


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_step_on_the_way_is_a_step_afterwards(rng, name):
    """Also of a layer that is not decayed."""
    networks = [random_network(np.random.default_rng(5), (20, 70, 3), (5.0, 5.0)) for _ in range(2)]
    before = [layer.weight.copy() for layer in networks[0].layers]
    batches = [(random_spikes(rng, 20), rng.normal(size=(3, 3, 40)).astype(np.float32)) for _ in range(3)]
    step_in_two_ways(networks, batches, lambda weights: OPTIMIZERS[name](weights, decayed=[True, False]))
    assert all(np.any(layer.weight != w) for layer, w in zip(networks[0].layers, before, strict=True))


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_it_goes_on_from_its_state_to_the_same_bits(rng, name):
    start = rng.normal(size=(3, 2, TILE)).astype(np.float32)
    gradients, rates = rng.normal(size=(6, 3, 2, TILE)).astype(np.float32), np.linspace(0.1, 0.02, 6)
    whole = stepped(OPTIMIZERS[name]([start]), start, gradients, rates)
    first, second = OPTIMIZERS[name]([start]), OPTIMIZERS[name]([start])
    halfway = stepped(first, start, gradients[:4], rates[:4])
    second.load_state({key: np.array(value) for key, value in first.state().items()})
    np.testing.assert_array_equal(stepped(second, halfway, gradients[4:], rates[4:]), whole)
    assert set(first.state()) == {"n_steps", *(f"{average}0" for average in OPTIMIZERS[name].averages)}
    with pytest.raises(KeyError):
        second.load_state({"n_steps": 3})


def test_settings_reach_the_optimiser_that_has_them():
    weights = [np.zeros((1, TILE), np.float32)]
    assert TrainingConfig(optimizer="sgd", momentum=0.5).make_optimizer(weights).momentum == 0.5
    assert TrainingConfig(optimizer="adamw").make_optimizer(weights).weight_decay == 0.01
    config = TrainingConfig(optimizer="sgd").as_dict()
    assert (config["momentum"], config["weight_decay"]) == (0.9, None)
    assert TrainingConfig(**config) == TrainingConfig(optimizer="sgd")


@pytest.mark.parametrize(("settings", "words"), [
    ({"momentum": 0.9}, "momentum is a setting of sgd, and the optimizer is adam; choose sgd, or leave out momentum"),
    ({"optimizer": "sgd", "weight_decay": 0.1}, "weight_decay is a setting of adamw, and the optimizer is sgd"),
    ({"optimizer": "sgd", "momentum": 1.0}, "momentum must be a number of at least 0 and below 1, got 1.0"),
    ({"optimizer": "sgd", "momentum": True}, "momentum must be a number of at least 0 and below 1, got True"),
    ({"optimizer": "adamw", "weight_decay": -1}, "weight_decay must be a number of at least 0 and finite, got -1"),
    ({"optimizer": "adamw", "weight_decay": float("inf")}, "weight_decay must be .* finite, got inf"),
], ids=str)
def test_settings_of_no_or_another_optimiser_are_refused(settings, words):
    with pytest.raises(ConfigError, match=words):
        TrainingConfig(**settings)

"""The rate regulariser: its penalty and derivative, and that it keeps rates where they shall be."""

from types import SimpleNamespace

import numpy as np
import pytest
from naive.regularizer import rate_penalty, rate_pressure
from scenes import dense, random_spikes

import eventsim as es
from eventsim.data import Splits
from eventsim.engine import run
from eventsim.errors import ConfigError
from eventsim.trainer import TrainingConfig
from eventsim.trainer.loop import make_loader
from eventsim.trainer.regularizer import RateRegularizer

BOUNDS = [(None, 3.0), (5.0, None), (2.0, 6.0), (4.0, 4.0), (0.0, 100.0)]


def layers_of(*lists):
    """As much of a trace as the regulariser looks at."""
    return SimpleNamespace(input=lists[0], layers=[SimpleNamespace(spikes=spikes) for spikes in lists])


@pytest.mark.parametrize(("low", "high"), BOUNDS)
def test_penalty_and_pressure_are_those_of_the_definition(rng, low, high):
    hidden = [random_spikes(rng, n, 4, 40, rate, empty=(1,)) for n, rate in ((30, 0.05), (7, 0.2))]
    output = random_spikes(rng, 3, 4, 40, 0.9)
    penalty, pressure = RateRegularizer(low, high, 0.3)(layers_of(*hidden, output))
    for b in range(4):
        want = sum(rate_penalty(dense(spikes, b), low, high, 0.3) for spikes in hidden)
        assert penalty[b] == pytest.approx(want, abs=1e-12)
        for spikes, of_layer in zip(hidden, pressure[:-1], strict=True):
            assert of_layer[b] == pytest.approx(rate_pressure(dense(spikes, b), low, high, 0.3), rel=1e-6)
    assert pressure[-1] is None


@pytest.mark.parametrize(("low", "high"), BOUNDS)
def test_the_pressure_is_the_derivative_by_one_spike(rng, low, high):
    """Half of what two spikes more make, which is exact for a parabola."""
    for count in (5, 50, 200):
        s = np.zeros((60, 10))
        s.ravel()[rng.choice(600, count, replace=False)] = 1
        more, less = s.copy(), s.copy()
        more[tuple(np.argwhere(s == 0)[0])], less[tuple(np.argwhere(s == 1)[0])] = 1, 0
        slope = (rate_penalty(more, low, high, 0.3) - rate_penalty(less, low, high, 0.3)) / 2
        kink = 0.5 * 0.3 / 10 if low == high or count / 10 in (low, high) else 0.0
        assert slope == pytest.approx(rate_pressure(s, low, high, 0.3), abs=1e-9 + kink)


def trained(patches, **settings):
    """A deep network whose layers would go their own ways, after six epochs."""
    network = es.Network("8x8x1-60-40-4", seed=1)
    trainer = es.Trainer(network, epochs=6, true_count=12, false_count=2, learning_rate=0.05, **settings)
    trainer.fit(Splits(patches(120), patches(40, seed=1), ""))
    return trainer


@pytest.mark.parametrize(("settings", "low", "high"), [
    ({"rate_high": 2.0, "rate_weight": 0.1}, 0.0, 2.0), ({"rate_low": 6.0, "rate_weight": 0.1}, 6.0, np.inf),
    ({"rate_low": 2.5, "rate_high": 3.0, "rate_weight": 0.1}, 2.5, 3.0),
], ids=str)
def test_rates_are_kept_within_bounds_while_training_goes_on(patches, settings, low, high):
    free, kept = trained(patches), trained(patches, **settings)
    assert not all(low <= rate <= high for rate in free.history[-1]["rates"][:-1])
    assert all(low - 0.2 <= rate <= high + 0.2 for rate in kept.history[-1]["rates"][:-1])
    assert kept.history[-1]["val_accuracy"] >= 0.9 and kept.history[-1]["loss"] < kept.history[0]["loss"]


def test_losses_are_reported_with_the_penalty(patches):
    network = es.Network("8x8x1-60-4", seed=1)
    trainer = es.Trainer(network, epochs=1, rate_high=0.5)
    record = trainer.fit(Splits(patches(40), patches(16, seed=1), ""))[0]

    def wanted(n, seed):
        spikes, labels, _ = next(iter(make_loader(network, patches(n, seed), n)))
        trace = run(network, spikes)
        penalty = [rate_penalty(dense(trace.layers[0].spikes, b), None, 0.5, 0.01) for b in range(n)]
        assert np.mean(penalty) > 0.1
        return spikes, labels, np.sum(trainer.loss(trace.output, labels, network.neuron).value + penalty)

    assert record["val_loss"] == pytest.approx(wanted(16, 1)[2] / 16)
    spikes, labels, loss = wanted(8, 5)
    trainer.step(spikes, labels, 0.01)
    assert trainer.metrics.loss == pytest.approx(loss)


@pytest.mark.parametrize("settings", [{}, {"clock": "exact"}], ids=str)
def test_pieces_of_a_batch_are_under_the_same_pressure(patches, monkeypatch, settings):
    from eventsim.trainer import worker

    def weights():
        trainer = es.Trainer(es.Network("8x8x1-30-4", seed=1, **settings), epochs=2, true_count=12, false_count=2,
                             batch_size=16, support="inf", rate_low=3, rate_high=3, learning_rate=0.1)
        trainer.fit(patches(32))
        return [layer.weight for layer in trainer.network.layers]

    whole = weights()
    monkeypatch.setattr(worker, "_PAIRS_A_WALK", 34 * 40 * 3)
    for a, b in zip(whole, weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(("settings", "words"), [
    ({"rate_low": 3, "rate_high": 2}, "rate_low must not be above rate_high, got 3 and 2 spikes"),
    ({"rate_weight": 0.1}, "rate_weight is of a penalty on rates, which have no bounds; give rate_low or rate_high"),
    ({"rate_high": -1}, "rate_high must be a number of at least 0"),
    ({"rate_low": float("nan")}, "rate_low must be a number of at least 0"),
    ({"rate_low": 1, "rate_weight": -1}, "rate_weight must be a number of at least 0"),
], ids=str)
def test_nonsense_is_refused(settings, words):
    with pytest.raises(ConfigError, match=words):
        TrainingConfig(**settings)


def test_settings_survive_json():
    config = TrainingConfig(rate_low=1, rate_high=5)
    assert config.rate_weight == 0.01 and TrainingConfig(**config.as_dict()) == config
    assert TrainingConfig().make_regularizer() is None and TrainingConfig().rate_weight is None

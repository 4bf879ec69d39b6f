"""Learning rates over a run, and the settings that only some schedules and optimisers have."""

import numpy as np
import pytest

import eventsim as es
from eventsim.errors import ConfigError
from eventsim.model import PRESETS
from eventsim.trainer import TrainingConfig
from eventsim.trainer.config import chosen_over
from eventsim.trainer.schedules import SCHEDULES, rate_at

STEP = {"schedule": "step", "step_epochs": (2,)}


def rates(at, **settings):
    config = TrainingConfig(learning_rate=0.4, **settings)
    return [rate_at(epoch, config) for epoch in at]


def test_constant_is_constant():
    assert rates([0, 1.7, 2.9], schedule="constant", epochs=3) == [0.4] * 3


def test_a_cosine_falls_from_the_full_rate_to_zero():
    got = rates([0, 1, 2, 3, 4], schedule="cosine", epochs=4)
    np.testing.assert_allclose(got, 0.4 * np.array([1, 0.5 + 0.5**1.5, 0.5, 0.5 - 0.5**1.5, 0]), atol=1e-16)


def test_steps_are_taken_at_their_epochs():
    steps = {"schedule": "step", "step_epochs": [30, 7.5], "epochs": 40}
    np.testing.assert_allclose(rates([0, 7.4, 7.5, 29.9, 30, 39.9], **steps), [0.4, 0.4, 0.04, 0.04, 0.004, 0.004])
    np.testing.assert_allclose(rates([7, 8, 31], step_factor=0.5, **steps), [0.4, 0.2, 0.1])
    assert rates([0.9, 1], schedule="step", step_epochs=(30,)) == [0.4, 0.4]  # a run that ends before


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_warm_up_rises_to_where_the_schedule_starts(schedule):
    settings = {"schedule": schedule, "epochs": 10, **({"step_epochs": (5,)} if schedule == "step" else {})}
    got = rates([0, 0.5, 1, 1.5, 2], warmup=2, **settings)
    np.testing.assert_allclose(got, [0, 0.1, 0.2, 0.3, 0.4])
    if schedule == "cosine":  # over what is left
        np.testing.assert_allclose(rates([2, 6, 10], warmup=2, **settings), [0.4, 0.2, 0], atol=1e-16)
    else:
        later = np.linspace(2, 9.9, 20)
        assert rates(later, warmup=2, **settings) == rates(later, **settings)


class Recorded(es.Trainer):
    """Notes the rate of every step."""

    def step(self, spikes, labels, rate):
        """Note it, and take it."""
        self.rates = [*getattr(self, "rates", []), rate]
        super().step(spikes, labels, rate)


def test_a_run_takes_every_rate_at_the_epoch_of_its_batch(patches):
    trainer = Recorded(es.Network("8x8x1-8-4"), epochs=3, warmup=1.5, learning_rate=0.4, **STEP)
    trainer.fit(patches(32))  # four batches an epoch
    np.testing.assert_allclose(trainer.rates, 0.4 * np.r_[np.arange(6) / 6, 1, 1, [0.1] * 4])


@pytest.mark.parametrize(("settings", "words"), [
    ({"schedule": "step"}, r"step_epochs must be the epochs at which the rate falls, e.g. \(30, 60\), got None"),
    ({"schedule": "step", "step_epochs": ()}, "step_epochs must be"),
    ({"schedule": "step", "step_epochs": 30}, "step_epochs must be"),
    ({"schedule": "step", "step_epochs": (-1,)}, "step_epochs must be a number of at least 0"),
    ({"schedule": "step", "step_epochs": ("x",)}, "step_epochs must be a number of at least 0"),
    ({"step_epochs": (3,)}, "step_epochs is a setting of step, and the schedule is cosine; choose step, or leave out"),
    ({"step_factor": 0.5}, "step_factor is a setting of step, and the schedule is cosine"),
    ({"schedule": "step", "step_epochs": (3,), "step_factor": -1}, "step_factor must be a number of at least 0"),
    ({"warmup": -1}, "warmup must be a number of at least 0"),
    ({"warmup": None}, "warmup must be a number of at least 0 and finite, got None"),
    ({"warmup": 3}, "warmup must be shorter than the training of 3 epochs, got 3"),
], ids=str)
def test_nonsense_is_refused(settings, words):
    with pytest.raises(ConfigError, match=words):
        TrainingConfig(**settings)


def test_settings_survive_json():
    config = TrainingConfig(epochs=9, warmup=2, **STEP)
    assert TrainingConfig(**(config.as_dict() | {"step_epochs": [2.0]})) == config


def test_what_is_chosen_goes_over_defaults_and_does_away_with_what_went_with_them():
    defaults = STEP | {"optimizer": "sgd", "momentum": 0.5}
    assert chosen_over(defaults, {}) == defaults
    assert chosen_over(defaults, {"step_epochs": (9,)}) == defaults | {"step_epochs": (9,)}
    assert chosen_over(defaults, {"schedule": "cosine"}) == {"schedule": "cosine", "optimizer": "sgd", "momentum": 0.5}
    assert chosen_over(defaults, {"optimizer": "adamw"}) == STEP | {"optimizer": "adamw"}
    # What was chosen stays, to be refused where it goes with nothing.
    assert chosen_over({}, {"momentum": 0.5}) == {"momentum": 0.5}
    for preset in PRESETS.values():
        TrainingConfig(learning_rate=preset.learning_rate, **preset.training)

"""How a network is trained: every setting, checked."""

import math
from dataclasses import asdict, dataclass, fields

from eventsim import checks
from eventsim.data import Augment
from eventsim.errors import ConfigError
from eventsim.trainer.losses import LOSSES, default_loss
from eventsim.trainer.optimizers import OPTIMIZERS
from eventsim.trainer.regularizer import RateRegularizer
from eventsim.trainer.schedules import SCHEDULE_SETTINGS, SCHEDULES

# Measured on N-MNIST: a narrow support is cheaper and learns better in wide layers, but starves narrow ones.
_NARROW_SUPPORT = 0.3
_WIDE_LAYER = 512
# Settings that only some choices have, with their defaults, by the choice and what is chosen.
_OF_SOME = {"optimizer": {name: kind.defaults for name, kind in OPTIMIZERS.items()}, "schedule": SCHEDULE_SETTINGS,
            "loss": {name: kind.defaults for name, kind in LOSSES.items()}}
# Numbers of at least 0 (or None, where that is the default), and what they lie below.
_BELOW = {"momentum": 1.0} | dict.fromkeys(
    ("weight_decay", "step_factor", "warmup", "rate_low", "rate_high", "rate_weight"), math.inf
)
_RATE_WEIGHT = 0.01


def _settings_of_some():
    """(choice, setting, {what has it: its default}) of every setting that only some choices have."""
    for choice, kinds in _OF_SOME.items():
        for name in dict.fromkeys(name for own in kinds.values() for name in own):
            yield choice, name, {kind: own[name] for kind, own in kinds.items() if name in own}


def default_of(name):
    """What a setting is where nothing is said; one that goes with others, where these are chosen."""
    own = {setting: next(iter(having.values())) for _, setting, having in _settings_of_some()}
    own["rate_weight"] = _RATE_WEIGHT
    return own[name] if name in own else getattr(TrainingConfig, name)


def chosen_over(defaults: dict, chosen: dict) -> dict:
    """Settings for a training: ``defaults``, but what was chosen, and none that a choice has done away with."""
    out = defaults | chosen
    for choice, name, having in _settings_of_some():
        if out.get(choice, getattr(TrainingConfig, choice)) not in having and name not in chosen:
            out.pop(name, None)
    return out


def settings_for(network, settings: dict) -> dict:
    """Settings for the training of a network, with the loss that fits it where they name none."""
    return {"loss": default_loss(network)} | settings


@dataclass(frozen=True)
class TrainingConfig:
    """Settings of a training run; raises `ConfigError` for what cannot work."""

    epochs: int = 3
    batch_size: int = 8
    learning_rate: float = 1e-3
    warmup: float = 0.0  # epochs over which the learning rate rises from zero, before the schedule starts
    schedule: str = "cosine"
    step_epochs: tuple[float, ...] | None = None  # of step: when the rate falls
    step_factor: float | None = None  # of step: what it is multiplied with then; None: 0.1
    optimizer: str = "adam"
    momentum: float | None = None  # of sgd; None: 0.9 there
    weight_decay: float | None = None  # of adamw; None: 0.01 there
    loss: str = "spike_count"
    true_count: float | None = None  # of losses on spikes: target spikes of the sample's class; None: 60 there
    false_count: float | None = None  # and of the other classes; None: 10
    loss_window: tuple[float, float] | None = None  # ms in which output spikes count; None: the whole sample
    support: str | float = "auto"  # where the surrogate counts, in thresholds; inf is SLAYER
    calibrate: bool = True  # scale the start weights until every layer fires
    rate_low: float | None = None  # spikes a neuron and sample that hidden layers shall at least have
    rate_high: float | None = None  # and at most
    rate_weight: float | None = None  # of the penalty on others; None: 0.01 where there is a bound
    shift: float = 0.0  # augmentation: pixels
    rotate: float = 0.0  # degrees
    scale: float = 0.0  # share of the size
    jitter: float = 0.0  # ms, standard deviation
    drop: float = 0.0  # share of the spikes
    seed: int = 0

    def __post_init__(self):
        for name in ("epochs", "batch_size"):
            object.__setattr__(self, name, checks.whole_number(name, getattr(self, name), 1))
        object.__setattr__(self, "seed", checks.whole_number("seed", self.seed, 0))
        if not isinstance(self.calibrate, bool):
            raise ConfigError(f"calibrate must be True or False, got {self.calibrate!r}")
        for name, choices in (("schedule", SCHEDULES), ("optimizer", OPTIMIZERS), ("loss", LOSSES)):
            checks.choice(name, getattr(self, name), choices)
        self._settle()
        if self.warmup >= self.epochs:
            raise ConfigError(f"warmup must be shorter than the training of {self.epochs} epochs, got {self.warmup:g}")
        rate = self.learning_rate
        if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 < rate < math.inf:
            raise ConfigError(f"learning_rate must be a finite number above 0, got {rate!r}")
        if not (isinstance(self.support, str) and self.support == "auto"):
            try:
                support = math.nan if isinstance(self.support, bool) else float(self.support)
            except (TypeError, ValueError):
                support = math.nan
            if not support > 0:
                raise ConfigError(f"support must be auto, inf or a number of thresholds above 0, got {self.support!r}")
            object.__setattr__(self, "support", support)
        self._settle_rates()
        self.make_loss()  # checks the counts and the window
        if self.loss_window is not None:
            object.__setattr__(self, "loss_window", tuple(map(float, self.loss_window)))
        self.make_augment()

    def _settle(self):
        """Settings that the choices have get defaults where nothing is said, those of other choices are refused."""
        for choice, name, having in _settings_of_some():
            chosen, value = getattr(self, choice), getattr(self, name)
            if chosen in having and value is None:
                object.__setattr__(self, name, having[chosen])
            elif chosen not in having and value is not None:
                others = " or ".join(having)
                raise ConfigError(f"{name} is a setting of {others}, and the {choice} is {chosen}; choose {others}, or "
                                  f"leave out {name}")
        if self.schedule == "step":
            object.__setattr__(self, "step_epochs", self._checked_epochs())
        for name, below in _BELOW.items():
            value = getattr(self, name)
            if value is not None or getattr(TrainingConfig, name) is not None:
                object.__setattr__(self, name, checks.number(name, value, below=below))

    def _checked_epochs(self):
        """``step_epochs`` in their order; a list is what JSON makes of a tuple."""
        if not isinstance(self.step_epochs, list | tuple) or not self.step_epochs:
            raise ConfigError(
                f"step_epochs must be the epochs at which the rate falls, e.g. (30, 60), got {self.step_epochs!r}; "
                "name them (--step-at 30), or choose another schedule"
            )
        return tuple(sorted(checks.number("step_epochs", epoch) for epoch in self.step_epochs))

    def _settle_rates(self):
        """The bounds on rates fit each other, and their weight has a default where there are any."""
        low, high = self.rate_low, self.rate_high
        if low is not None and high is not None and low > high:
            raise ConfigError(f"rate_low must not be above rate_high, got {low:g} and {high:g} spikes")
        if low is None and high is None:
            if self.rate_weight is not None:
                raise ConfigError("rate_weight is of a penalty on rates, which have no bounds; give rate_low or "
                                  "rate_high, or leave out rate_weight")
        elif self.rate_weight is None:
            object.__setattr__(self, "rate_weight", _RATE_WEIGHT)

    def make_optimizer(self, parameters, decayed=None):
        """The optimiser of these settings, for arrays in rows of 64; see `Optimizer`."""
        kind = OPTIMIZERS[self.optimizer]
        return kind(parameters, decayed=decayed, **{name: getattr(self, name) for name in kind.defaults})

    def make_loss(self):
        """The loss object of these settings."""
        if self.true_count is None:
            return LOSSES[self.loss]()
        counts = (self.true_count, self.false_count)
        if self.loss == "spike_time":
            counts = tuple(int(c) if float(c).is_integer() else c for c in counts)
        return LOSSES[self.loss](*counts, **({} if self.loss_window is None else {"window": self.loss_window}))

    def make_regularizer(self) -> RateRegularizer | None:
        """The regulariser of these settings, if there is one."""
        bounded = self.rate_low is not None or self.rate_high is not None
        return RateRegularizer(self.rate_low, self.rate_high, self.rate_weight) if bounded else None

    def mean_target(self, n_outputs) -> float | None:
        """Target spikes of an output neuron over all classes, at which training starts; None: output has no spikes."""
        if self.true_count is None:
            return None
        return (self.true_count + (n_outputs - 1) * self.false_count) / n_outputs

    def make_augment(self) -> Augment:
        """The augmentation of these settings."""
        return Augment(**{field.name: getattr(self, field.name) for field in fields(Augment)})

    def supports(self, widths):
        """Support of every layer: ``auto`` is 0.3 in the first layer and in those wider than 512, full elsewhere."""
        if self.support != "auto":
            return [self.support] * len(widths)
        hidden = range(len(widths) - 1)
        return [
            _NARROW_SUPPORT if i in hidden and (i == 0 or width > _WIDE_LAYER) else math.inf
            for i, width in enumerate(widths)
        ]

    def as_dict(self) -> dict:
        """Plain values, ready for JSON."""
        values = asdict(self)
        if values["support"] == math.inf:
            values["support"] = "inf"
        return values

"""How a network is trained: every setting, checked."""

import math
from dataclasses import asdict, dataclass

from eventsim import checks
from eventsim.data import Augment
from eventsim.errors import ConfigError
from eventsim.trainer.losses import LOSSES
from eventsim.trainer.optimizers import OPTIMIZERS
from eventsim.trainer.schedules import SCHEDULES

# Measured on N-MNIST: a narrow support is cheaper and learns better in wide layers, but starves narrow ones.
_NARROW_SUPPORT = 0.3
_WIDE_LAYER = 512
# Settings that only some optimisers have, and what they lie below.
_OPTIMIZER_SETTINGS = {"momentum": 1.0, "weight_decay": math.inf}


@dataclass(frozen=True)
class TrainingConfig:
    """Settings of a training run; raises `ConfigError` for what cannot work."""

    epochs: int = 3
    batch_size: int = 8
    learning_rate: float = 1e-3
    schedule: str = "cosine"
    optimizer: str = "adam"
    momentum: float | None = None  # of sgd; None: 0.9 there
    weight_decay: float | None = None  # of adamw; None: 0.01 there
    loss: str = "spike_count"
    true_count: float = 60.0  # target spikes of the sample's class
    false_count: float = 10.0  # and of the other classes
    support: str | float = "auto"  # where the surrogate counts, in thresholds; inf is SLAYER
    calibrate: bool = True  # scale the start weights until every layer fires
    shift: float = 0.0  # augmentation: pixels
    rotate: float = 0.0  # degrees
    scale: float = 0.0  # share of the size
    seed: int = 0

    def __post_init__(self):
        for name in ("epochs", "batch_size"):
            object.__setattr__(self, name, checks.whole_number(name, getattr(self, name), 1))
        object.__setattr__(self, "seed", checks.whole_number("seed", self.seed, 0))
        if not isinstance(self.calibrate, bool):
            raise ConfigError(f"calibrate must be True or False, got {self.calibrate!r}")
        for name, choices in (("schedule", SCHEDULES), ("optimizer", OPTIMIZERS), ("loss", LOSSES)):
            checks.choice(name, getattr(self, name), choices)
        self._settle_optimizer()
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
        self.make_loss()  # checks the counts
        self.make_augment()

    def _settle_optimizer(self):
        """Settings that the optimiser has get their defaults where nothing is said, others are refused."""
        own = OPTIMIZERS[self.optimizer].defaults
        for name, below in _OPTIMIZER_SETTINGS.items():
            value = getattr(self, name)
            if name in own:
                value = own[name] if value is None else checks.number(name, value, below=below)
                object.__setattr__(self, name, value)
            elif value is not None:
                having = " or ".join(kind for kind, optimizer in OPTIMIZERS.items() if name in optimizer.defaults)
                raise ConfigError(f"{name} is a setting of {having}, and the optimizer is {self.optimizer}; choose "
                                  f"{having}, or leave out {name}")

    def make_optimizer(self, parameters, decayed=None):
        """The optimiser of these settings, for arrays in rows of 64; see `Optimizer`."""
        kind = OPTIMIZERS[self.optimizer]
        return kind(parameters, decayed=decayed, **{name: getattr(self, name) for name in kind.defaults})

    def make_loss(self):
        """The loss object of these settings."""
        counts = (self.true_count, self.false_count)
        if self.loss == "spike_time":
            counts = tuple(int(c) if float(c).is_integer() else c for c in counts)
        return LOSSES[self.loss](*counts)

    def mean_target(self, n_outputs) -> float:
        """Target spikes of an output neuron over all classes, at which training starts."""
        return (self.true_count + (n_outputs - 1) * self.false_count) / n_outputs

    def make_augment(self) -> Augment:
        """The augmentation of these settings."""
        return Augment(self.shift, self.rotate, self.scale)

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

"""What is wrong with a network in training, by the figures of an epoch, and what to do about it."""

import math
from dataclasses import asdict, dataclass

import numpy as np

from eventsim.errors import ConfigError
from eventsim.kernels.memory import on_host
from eventsim.model.neurons.base import SATURATED

# A layer is silent where so many of its neurons had no spike in the epoch, or a neuron so few a sample.
_SILENT_SHARE, _SILENT_RATE = 0.95, 0.01
_LEAST_ALLOWED = 10  # spikes that the dead time allows in a sample, for that to mean anything
_TRIAL_EPOCHS, _TRIAL_SAMPLES = 2, 500  # after both of which accuracy should be better than guessing
_DEVIATIONS = 2.0  # of a binomial distribution, that are still chance


@dataclass(frozen=True)
class Finding:
    """``kind`` is one of `CHECKS`; ``layer`` a name, or None; ``text`` says what was found, and ``cure`` what to do."""

    kind: str
    layer: str | None
    text: str
    cure: str


class _Epoch:
    """The figures that the checks look at."""

    def __init__(self, network, config, metrics, number):
        self.network, self.config, self.metrics, self.number = network, config, metrics, number
        summary = metrics.summary()
        self.rates, self.silent, self.accuracy = (summary[name] for name in ("rates", "silent", "accuracy"))
        self.names = network.spiking.layer_names
        ticks = metrics.ticks / max(metrics.samples, 1)
        shortest = (neuron.shortest_interval(network.dt, network.clock) for neuron in network.spiking.neurons)
        self.allowed = [max(1.0, ticks * network.dt / interval) for interval in shortest]  # spikes in a sample

    def is_last(self, i):
        """Whether the output spikes of the network are those of layer ``i``."""
        return i == len(self.network.layers) - 1

    def fired(self):
        """(number, (rate, silent share)) of the layers that spike."""
        return enumerate(zip(self.rates[:len(self.names)], self.silent, strict=False))

    def first_silent(self):
        """The number of the first layer that is silent, or None."""
        return next((i for i, (rate, silent) in self.fired()
                     if silent >= _SILENT_SHARE or rate < _SILENT_RATE), None)

    def cure(self, *others):
        """What to start again with."""
        first = [] if self.config.calibrate else ["without --no-calibrate, so that every layer has a few spikes then"]
        last = f"with a smaller --lr (it is {self.config.learning_rate:g})"
        return "start again " + ", or ".join([*first, *others, last])


def _silent(epoch):
    """A layer without spikes; those after it are silent because it is."""
    i = epoch.first_silent()
    if i is None:
        return
    found = (f"is silent: {100 * epoch.silent[i]:.0f} % of its neurons had no spike in epoch {epoch.number}, the mean "
             f"is {epoch.rates[i]:.2g} spikes a neuron and sample")
    high = epoch.config.rate_high
    if epoch.is_last(i):
        layer, so, others = "the output layer", "it says nothing of the class", []
    else:
        layer, so = f"layer {epoch.names[i]}", "what follows learns nothing"
        others = ["with --rate-low 1, which holds its rate up" if high is None else
                  f"with a higher --rate-high (it is {high:g})"]
    yield Finding("silent", epoch.names[i], f"{layer} {found}, so {so}", epoch.cure(*others))


def _saturated(epoch):
    """A layer whose neurons fire nearly as often as they can; an output that its target asks to is none."""
    for i, (rate, silent) in epoch.fired():
        allowed = epoch.allowed[i]
        if allowed < _LEAST_ALLOWED:
            continue
        wanted = epoch.config.mean_target(epoch.network.arch.n_outputs) if epoch.is_last(i) else 0.0
        rate /= max(1.0 - silent, 1e-9)
        if rate < max(SATURATED * allowed, 1.5 * wanted):
            continue
        others = [] if epoch.is_last(i) or epoch.config.rate_high is not None else [
            f"with --rate-high {max(1, round(allowed / 30))}, which holds its rate down"]
        yield Finding("saturated", epoch.names[i], (
            f"layer {epoch.names[i]} saturates: those of its neurons that fire had {rate:.3g} spikes a sample in epoch "
            f"{epoch.number}, {100 * rate / allowed:.0f} % of what their dead time allows, so their spikes tell "
            f"little"), epoch.cure(*others))


def _at_chance(epoch):
    """Accuracy that guessing the most frequent class would have, too, where no layer explains it."""
    seen = epoch.number * epoch.metrics.samples
    if epoch.number < _TRIAL_EPOCHS or seen < _TRIAL_SAMPLES or any(_silent(epoch)) or any(_saturated(epoch)):
        return
    n = max(epoch.metrics.samples, 1)
    guessed = float(epoch.metrics.confusion.sum(axis=1).max()) / n
    if guessed < 1.0 and epoch.accuracy <= guessed + _DEVIATIONS * math.sqrt(guessed * (1.0 - guessed) / n):
        yield Finding("at_chance", None, (
            f"training accuracy is at chance in epoch {epoch.number}: {epoch.accuracy:.3f}, and naming always the same "
            f"class has {guessed:.3f}"), (
            f"check that labels and recordings belong together, or start again with another --lr (it is "
            f"{epoch.config.learning_rate:g})"))


CHECKS = {"silent": _silent, "saturated": _saturated, "at_chance": _at_chance}


def warnings_of(network, config, metrics, number) -> list[dict]:
    """Everything that `CHECKS` find in epoch ``number`` (from 1), which `Metrics` counted: a `Finding` each, as dicts.

    It takes what was counted anyway, so that it costs training nothing.
    """
    epoch = _Epoch(network, config, metrics, number)
    return [asdict(warning) for check in CHECKS.values() for warning in check(epoch)]


def new_warnings(record, before) -> list[dict]:
    """Warnings of a record of the history that did not hold in the one before it, which is None for the first."""
    held = {(one["kind"], one["layer"]) for one in (before or {}).get("warnings", [])}
    return [one for one in record.get("warnings", []) if (one["kind"], one["layer"]) not in held]


def check_finite(trainer, number, loss=0.0):
    """Raise `ConfigError` if weights, or values of ``loss``, are not finite any more in epoch ``number``, from 1."""
    network = trainer.network
    bad = [name for name, layer in zip(network.layer_names, network.layers, strict=True)
           if not all(np.isfinite(on_host(array)).all() for array in layer.parameters)]
    if not bad and np.isfinite(loss).all():
        return
    where = f"weights of {', '.join(bad)} are" if bad else "the loss is"
    kept = "the checkpoint before is kept; " if trainer.has_checkpoint() else ""
    calibrated = "" if trainer.config.calibrate else " and without --no-calibrate"
    raise ConfigError(
        f"training diverged in epoch {number}: {where} not finite any more; {kept}start again with a smaller "
        f"learning rate (--lr, it is {trainer.config.learning_rate:g}){calibrated}"
    )

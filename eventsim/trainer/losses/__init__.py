"""Losses on output spikes, or on what is read of output potentials: a file each, and a line here."""

from eventsim.errors import ConfigError
from eventsim.trainer.losses.base import LossResult
from eventsim.trainer.losses.potential import CrossEntropy, PotentialError
from eventsim.trainer.losses.spike_count import SpikeCount, SpikeCountSlayer
from eventsim.trainer.losses.spike_time import SpikeTime

LOSSES = {"spike_count": SpikeCount, "spike_count_slayer": SpikeCountSlayer, "spike_time": SpikeTime,
          "cross_entropy": CrossEntropy, "potential_error": PotentialError}

# Where none is named, by what a loss takes.
DEFAULTS = {"spikes": "spike_count", "potentials": "cross_entropy"}

__all__ = ["DEFAULTS", "LOSSES", "CrossEntropy", "PotentialError", "SpikeCount", "SpikeCountSlayer", "SpikeTime",
           "check_loss", "default_loss", "loss_of"]


def _takes(network):
    """What there is of the output of a network, which a loss can take."""
    return "spikes" if network.readout is None else "potentials"


def _fitting(network):
    return [name for name, kind in LOSSES.items() if kind.takes == _takes(network)]


def default_loss(network) -> str:
    """The name of the loss that a network is trained with where none is named."""
    return DEFAULTS[_takes(network)]


def check_loss(loss, network):
    """Raise `ConfigError` where a loss is on spikes and the network's potentials are read, or the other way round.

    And where it is on the psp of output spikes, which neurons without synaptic dynamics do not make.
    """
    takes, neuron = getattr(loss, "takes", _takes(network)), network.neurons[-1]  # what somebody made takes what is
    name = next((name for name, kind in LOSSES.items() if type(loss) is kind), type(loss).__name__)
    if takes == _takes(network):
        if getattr(loss, "filters", False) and not hasattr(neuron, "tau_syn"):
            raise ConfigError(f"the loss {name} filters output spikes with tau_syn of their neurons, and "
                              f"{type(neuron).__name__} neurons have none; choose {DEFAULTS[takes]}")
        return
    what = {"spikes": "is on output spikes, and the network has none: the potentials of its last layer are read",
            "potentials": "is on what is read of output potentials, and the network's output neurons spike"}[takes]
    raise ConfigError(f"the loss {name} {what}; choose {' or '.join(_fitting(network))}")


def loss_of(loss, network, trace, labels) -> LossResult:
    """Value and error of a loss for the `Trace` of a batch, with labels int64[B]; raises as `check_loss` does."""
    check_loss(loss, network)
    if trace.readout is None:
        return loss(trace.output, labels, network.neurons[-1])
    return loss(trace.readout, labels)

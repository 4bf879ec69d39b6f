"""What is benchmarked: a network, a batch of samples, and weights scaled until its layers fire at a named rate."""

from dataclasses import dataclass

import numpy as np

from eventsim.data import open_dataset
from eventsim.engine import forward
from eventsim.errors import ConfigError
from eventsim.model import Network
from eventsim.spikes import Spikes
from eventsim.trainer import TrainingConfig
from eventsim.trainer.calibrate import calibrate
from eventsim.trainer.loop import check_fits, make_loader

_CALIBRATION_SAMPLES = 8
_DURATION = 300  # ticks of 1 ms, as N-MNIST is run
# How near a layer must come to the rate that was asked for.
_NEAR = 0.25
# A learning rate at which a training step does all of its work and changes no spike.
STILL = 1e-12


@dataclass(frozen=True)
class Scene:
    """A network and a batch of input spikes with its labels; ``supports`` are those of training by default."""

    network: Network
    spikes: Spikes
    labels: np.ndarray
    supports: list[float]

    def activity(self) -> list[float]:
        """Spikes a neuron and sample of every layer."""
        layers = forward(self.network, self.spikes).layers
        return [len(layer.spikes) / (self.spikes.n_samples * layer.spikes.n_neurons) for layer in layers]


def training_samples(data, batch, seed):
    """A data set to train on, and the numbers of ``batch`` of its samples that ``seed`` chooses, int64[batch]."""
    splits = open_dataset(data, train=batch, validation=1) if data == "synthetic" else open_dataset(data)
    source = splits.train
    if source is None or len(source) < batch:
        found = 0 if source is None else len(source)
        raise ConfigError(f"{data}: has {found} training samples, too few for a batch of {batch}; use a smaller batch")
    return source, np.random.default_rng(seed).permutation(len(source))[:batch]


def build(arch="smlp", data="synthetic", batch=8, rate=4.0, seed=0) -> Scene:
    """The network ``arch`` with every layer but the last scaled to ``rate`` spikes a neuron and sample of the batch.

    The last is scaled to the mean of its targets, as training does. Raises `ConfigError` where the data does not fit
    the network, has fewer samples, or no weights give this rate.
    """
    network = Network(arch, n_ticks=_DURATION, seed=seed)
    if not network.is_immediate:
        raise ConfigError(
            f"{arch} has delays or recurrence, and bench scales the weights of networks without them only; choose "
            "another architecture, such as mlp512"
        )
    source, order = training_samples(data, batch, seed)
    check_fits(network, source)
    spikes, labels, _ = next(iter(make_loader(network, source, batch, order)))
    config = TrainingConfig()
    calibrate(network, spikes.samples(0, min(batch, _CALIBRATION_SAMPLES)), hidden=rate,
              output=config.mean_target(network.arch.n_outputs), seed=seed)
    scene = Scene(network, spikes, labels, config.supports(network.arch.widths))
    for name, reached in list(zip(network.layer_names, scene.activity(), strict=True))[:-1]:
        if not abs(reached - rate) <= _NEAR * rate:
            raise ConfigError(
                f"no weights make {name} fire {rate:g} spikes a neuron on these samples, {reached:.3g} came nearest; "
                "choose another rate"
            )
    return scene

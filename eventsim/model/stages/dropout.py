"""Dropout of neurons."""

from eventsim.errors import ConfigError
from eventsim.model.shape import Shape


class Dropout:
    """In training every neuron is dropped with probability ``p``, in each sample and for all of it (Srivastava 2014).

    Its spikes leave the list; those of the survivors count 1 / (1 - p). One mask for all time is what SLAYER's is.
    """

    kind = "dropout"
    parameters = ()

    def __init__(self, given: Shape, p: float):
        self.given = self.shape = given
        if isinstance(p, bool) or not isinstance(p, int | float) or not 0 <= p < 1:
            raise ConfigError(f"dropout must be a share from 0 to below 1, got {p!r}")
        self.p = float(p)

    def __repr__(self):
        return f"Dropout({self.given}, {self.p:g})"

    @property
    def weight(self) -> float:
        """What the spike of a survivor counts in training."""
        return 1.0 / (1.0 - self.p)

    def draw(self, rng, n_samples: int):
        """Who stays, bool[B, N]."""
        return rng.random((n_samples, self.given.size)) >= self.p

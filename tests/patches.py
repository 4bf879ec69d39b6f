"""A small labelled data set, made up: four classes, each a patch of the sensor."""

import numpy as np

from eventsim.data import Dataset
from eventsim.events import Events
from eventsim.sensor import Sensor


class Patches(Dataset):
    """Events of class c lie mostly in quarter c of an 8x8 sensor."""

    def __init__(self, n, seed=0, sensor=None):
        self._seed = seed
        super().__init__(name="patches", sensor=sensor or Sensor(8, 8, 1), n_classes=4, labels=np.arange(n) % 4,
                         duration=40.0)

    def events(self, i):
        """120 events, five of six of them in the class's quarter."""
        rng = np.random.default_rng([self._seed, i])
        x, y = rng.integers(0, 4, (2, 120))
        quarter = np.where(rng.random(120) < 5 / 6, self.labels[i], rng.integers(0, 4, 120))
        t = np.sort(rng.integers(0, 40_000, 120))
        return Events(t, x + 4 * (quarter % 2), y + 4 * (quarter // 2), np.zeros(120, int), self.sensor)

    def sample_name(self, i):
        """A name for messages."""
        return f"patch {i} of seed {self._seed}"

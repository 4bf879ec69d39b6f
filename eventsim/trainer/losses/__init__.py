"""Losses on output spikes: a file each, and a line here."""

from eventsim.trainer.losses.spike_count import SpikeCount, SpikeCountSlayer
from eventsim.trainer.losses.spike_time import SpikeTime

LOSSES = {"spike_count": SpikeCount, "spike_count_slayer": SpikeCountSlayer, "spike_time": SpikeTime}

__all__ = ["LOSSES", "SpikeCount", "SpikeCountSlayer", "SpikeTime"]

"""From `Events` to `Spikes`: one encoder a clock, each returning ``(spikes, report)``."""

from eventsim.data.encoders.binning import MODES, BinningReport, bin_events, exact_times

ENCODERS = {"grid": bin_events, "exact": exact_times}

__all__ = ["ENCODERS", "MODES", "BinningReport", "bin_events", "exact_times"]

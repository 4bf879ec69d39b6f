"""What becomes `Spikes`.

`ENCODERS` are those of recordings, one a clock, each returning ``(spikes, report)``; `ARRAY_ENCODERS` are those of
images and series of numbers, and `DECODERS` go back from their spikes.
"""

from eventsim.data.encoders.arrays import latency, poisson, population, regular
from eventsim.data.encoders.binning import MODES, BinningReport, bin_events, exact_times
from eventsim.data.encoders.decoding import decode_delta, decode_latency, decode_population, decode_rate
from eventsim.data.encoders.delta import delta

ENCODERS = {"grid": bin_events, "exact": exact_times}
ARRAY_ENCODERS = {
    "poisson": poisson, "regular": regular, "latency": latency, "population": population, "delta": delta,
}
DECODERS = {"rate": decode_rate, "latency": decode_latency, "population": decode_population, "delta": decode_delta}

__all__ = [
    "ARRAY_ENCODERS", "DECODERS", "ENCODERS", "MODES", "BinningReport", "bin_events", "decode_delta", "decode_latency",
    "decode_population", "decode_rate", "delta", "exact_times", "latency", "poisson", "population", "regular",
]

"""Recordings and data sets in, spikes out. Importing it compiles nothing: kernels load on their first call."""

from eventsim.data.augment import Augment
from eventsim.data.codecs import CODECS, open_recording, read, read_target_counts, write
from eventsim.data.datasets import DATASETS, Dataset, Splits, is_dataset, open_dataset
from eventsim.data.encoders import ARRAY_ENCODERS, DECODERS, ENCODERS, BinningReport, bin_events, exact_times
from eventsim.data.loader import Loader
from eventsim.data.transforms import TRANSFORMS

__all__ = [
    "ARRAY_ENCODERS", "CODECS", "DATASETS", "DECODERS", "ENCODERS", "TRANSFORMS", "Augment", "BinningReport", "Dataset",
    "Loader", "Splits", "bin_events", "exact_times", "is_dataset", "open_dataset", "open_recording", "read",
    "read_target_counts", "write",
]

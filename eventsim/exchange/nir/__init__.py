"""The Neuromorphic Intermediate Representation (Pedersen et al. 2024): networks from its files, and into them.

NIR has neurons in continuous time; what a tick does to them is the frameworks' business, see `schemes`.
"""

from eventsim.exchange.nir.difference import difference, fitted, random_spikes
from eventsim.exchange.nir.file import is_nir, save
from eventsim.exchange.nir.reader import Imported, from_graph, read
from eventsim.exchange.nir.schemes import READ, RESETS, WRITE
from eventsim.exchange.nir.timing import Reading
from eventsim.exchange.nir.writer import Exported, Writing, to_graph, write

__all__ = ["READ", "RESETS", "WRITE", "Exported", "Imported", "Reading", "Writing", "difference", "fitted",
           "from_graph", "is_nir", "random_spikes", "read", "save", "to_graph", "write"]

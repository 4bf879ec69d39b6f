"""SLAYER's files: slayerPytorch's ``network.yaml``, and weights of its and lava-dl's modules."""

from eventsim.exchange.slayer.arrays import READERS, read_arrays
from eventsim.exchange.slayer.description import Description, read_description
from eventsim.exchange.slayer.state import State, parse_state
from eventsim.exchange.slayer.weights import Placed, set_weights

__all__ = ["READERS", "Description", "Placed", "State", "parse_state", "read_arrays", "read_description", "set_weights"]

"""What a network is: architectures, layers, neurons. Nothing here runs anything."""

from eventsim.model.arch import PRESETS, Architecture, parse
from eventsim.model.network import Network
from eventsim.model.neurons import LI, LIF, SRM, CubaLIF

__all__ = ["LI", "LIF", "PRESETS", "SRM", "Architecture", "CubaLIF", "Network", "parse"]

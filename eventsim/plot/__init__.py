"""Pictures as matplotlib figures: a file each. They need the extra ``plot``; none touches pyplot or its state."""

from eventsim.plot.canvas import FORMATS, save
from eventsim.plot.curves import curves
from eventsim.plot.frames import frames
from eventsim.plot.growth import growth
from eventsim.plot.membrane import busiest, membrane
from eventsim.plot.neurons import neurons
from eventsim.plot.raster import raster
from eventsim.plot.weights import weights

__all__ = ["FORMATS", "busiest", "curves", "frames", "growth", "membrane", "neurons", "raster", "save", "weights"]

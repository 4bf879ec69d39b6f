"""A synthetic event camera that looks at synthetic handwriting: the data set that needs no download.

`draw` writes a digit, `SaccadeParameters` moves it, `record` is the camera; `SyntheticDigits` puts them together.
"""

from eventsim.data.synthetic.camera import CameraParameters, record
from eventsim.data.synthetic.dataset import SyntheticDigits
from eventsim.data.synthetic.saccades import Move, SaccadeParameters
from eventsim.data.synthetic.strokes import HandwritingParameters, draw

__all__ = [
    "CameraParameters", "HandwritingParameters", "Move", "SaccadeParameters", "SyntheticDigits", "draw", "record",
]

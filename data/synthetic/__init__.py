"""A synthetic event camera that looks at synthetic handwriting: the data set that needs no download.

`draw` writes a digit, `SaccadeParameters` moves it, `record` is the camera; `SyntheticDigits` puts them together.

Against the 1,000 real N-MNIST training samples with the official ids 1 to 1000 (classes weighted alike), 1,000
synthetic samples of seed 0 have:

    statistic                          real   synthetic   ratio
    events a sample                    4183        4243    1.01
      5 % quantile                     2329        2466    1.06
      median                           4181        4274    1.02
      95 % quantile                    6059        5785    0.95
    share of ON events                0.498       0.529    1.06
    events of saccade 1                1509        1504    1.00
              saccade 2                1416        1439    1.02
              saccade 3                1258        1301    1.03
    events in any 10 ms that have at least 1 % of them     0.90 to 1.21
    events in 2x2 pixels that have more than the mean      0.88 to 1.12 (5 to 95 % of 94; 0.34 at a hot spot)
    pixels with an event                451         474    1.05
    events of such a pixel, median        9           9    1.00
    time between its events, median    5.20        5.89    1.13   ms
    isolated events                   2.4 %       2.9 %    1.23   none within 10 ms in the 3x3 pixels around
    OFF ahead of ON, saccade 1   (0.8, 3.4)  (1.0, 4.1)           pixels along (x, y)
                     saccade 2  (2.8, -3.5) (2.8, -3.4)
                     saccade 3 (-3.8, -0.3) (-3.8, -0.2)

`tests/data/test_synthetic_statistics.py` recomputes it.
"""

from eventsim.data.synthetic.camera import CameraParameters, record
from eventsim.data.synthetic.dataset import SyntheticDigits
from eventsim.data.synthetic.images import SaccadeImages, open_images
from eventsim.data.synthetic.saccades import Move, SaccadeParameters
from eventsim.data.synthetic.strokes import HandwritingParameters, draw

__all__ = [
    "CameraParameters", "HandwritingParameters", "Move", "SaccadeImages", "SaccadeParameters", "SyntheticDigits",
    "draw", "open_images", "record",
]

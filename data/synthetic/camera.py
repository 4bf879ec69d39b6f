"""An event camera: an image that moves across the sensor in, events out."""

import math
from dataclasses import dataclass

import numpy as np

from eventsim import checks, kernels
from eventsim.data.synthetic.limits import check_limits
from eventsim.data.synthetic.saccades import SaccadeParameters
from eventsim.errors import ConfigError
from eventsim.events import Events
from eventsim.kernels.status import Status
from eventsim.sensor import Sensor

_FIRST_GUESS = 8192  # events of a recording; N-MNIST's largest has 7,152
_NMNIST_SENSOR = Sensor(34, 34)


@dataclass(frozen=True)
class CameraParameters:
    """A DVS or ATIS, with the non-idealities that emulators agree on.

    Every pixel has its own thresholds and refractory period (mismatch), drawn for every recording: a network must not
    learn one sensor's faults. Background activity is leak activity, ON only, as N-MNIST's is.

    Sources: Lichtsteiner, Posch, Delbruck 2008, doi:10.1109/JSSC.2007.914337 (pixel, mismatch); Posch, Matolin,
    Wohlgenannt 2011, doi:10.1109/JSSC.2010.2085952 (ATIS); Nozaki, Delbruck 2017, doi:10.1109/TED.2017.2717848
    (leak); Hu, Liu, Delbruck 2021, "v2e", doi:10.1109/CVPRW53098.2021.00144 (emulation).
    """

    sensor: Sensor = _NMNIST_SENSOR
    threshold_on: float = 0.13  # log units (natural)
    threshold_off: float = 0.13  # log units
    mismatch: float = 0.12  # standard deviation of a pixel's log threshold
    refractory: float = 0.6  # ms, of the fastest pixel
    refractory_spread: float = 1.3  # ms, mean of what a pixel's refractory period has beyond that (exponential)
    lag: float = 1.0  # ms, time constant of the photoreceptor
    leak: float = 0.4  # ON events a second of a pixel that sees nothing move
    latency: float = 0.0  # ms, from a change to its event (N-MNIST's is in the saccades' times, read off its events)
    jitter: float = 0.1  # ms, standard deviation of the latency
    black: float = 0.3  # luminance of black, relative to white
    blur: float = 0.48  # pixels, standard deviation of the optics' point spread
    step: float = 1.0  # ms of the emulation; crossings are interpolated in between

    def __post_init__(self):
        checks.sensor(self.sensor)
        if self.sensor.polarities != 2:
            raise ConfigError(f"an event camera has two polarities, got a {self.sensor} sensor")
        check_limits(self, "threshold_on threshold_off refractory step", 0, above=True)
        check_limits(self, "refractory_spread lag leak latency jitter", 0)
        check_limits(self, "mismatch blur", 0, 100)
        check_limits(self, "black", 0, 1, above=True)


def record(image, saccades: SaccadeParameters, rng, camera: CameraParameters) -> Events:
    """What ``camera`` records of ``image`` while it moves along ``saccades``; times from 0.

    image : float32[rows,columns], luminance from 0 (black) to 1 (white); beyond its border its edge goes on. A pixel of
        the image is as large as one of the sensor. N-MNIST's polarity is that of dark digits on white (the leading edge
        is OFF), so an MNIST image is shown as ``1 - image / 255``
    rng : np.random.Generator, for the mismatch, the spreads of the path and the jitter

    Raises `ConfigError` where the image is none.
    """
    path = saccades.path(camera.step, rng)
    scene, taps = _scene(_luminance(image), path, camera)
    height, width = camera.sensor.height, camera.sensor.width
    pixels = height * width
    step = 1000.0 * camera.step  # us
    threshold = np.exp(camera.mismatch * rng.standard_normal((2, pixels)))
    threshold *= np.array([[camera.threshold_on], [camera.threshold_off]])
    refractory = 1000.0 * (camera.refractory + camera.refractory_spread * rng.standard_exponential(pixels))
    phase = -threshold[0] * rng.random(pixels)  # a scene at rest: only the leak has moved the reset level
    leak = camera.leak * threshold[0].mean() * camera.step / 1000.0  # log units a step
    follow = -np.expm1(-camera.step / camera.lag) if camera.lag > 0 else 1.0
    t, x, y, p = _run(scene=scene, **taps, width=width, height=height, step=step, follow=follow, leak=leak,
                      threshold=threshold, refractory=refractory, phase=phase)
    t = t + 1000.0 * (camera.latency + camera.jitter * rng.standard_normal(len(t)))
    t = np.maximum(np.rint(t), 0).astype(np.int64)
    order = np.argsort(t, kind="stable")
    return Events(t[order], x[order], y[order], p[order], camera.sensor)


def _luminance(image):
    try:
        array = np.asarray(image, np.float64)
    except (TypeError, ValueError):
        array = np.array(math.nan)
    if array.ndim != 2 or not array.size or not (array.min() >= 0 and array.max() <= 1):
        raise ConfigError("an image must be a non-empty array of two dimensions with luminances in 0..1")
    return array


def _scene(luminance, path, camera):
    """Log intensity of the image and its surroundings, and where in it the sensor's first pixel looks in every step.

    Returns the scene, and a dict of row, column, down and right, see `camera_events`.
    """
    # Pixel (x, y) looks at the image's (x, y) + corner; the sensor's centre and the image's are apart by the path.
    corner = (np.array(luminance.shape[::-1]) - (camera.sensor.width, camera.sensor.height)) / 2 - path
    whole = np.floor(corner)
    column, row = whole.astype(np.int64).T
    right, down = np.ascontiguousarray((corner - whole).T)
    left, top = max(0, -column.min()), max(0, -row.min())
    wide = max(0, column.max() + camera.sensor.width + 1 - luminance.shape[1])
    deep = max(0, row.max() + camera.sensor.height + 1 - luminance.shape[0])
    radius = math.ceil(3 * camera.blur)
    padded = np.pad(luminance, ((top + radius, deep + radius), (left + radius, wide + radius)), mode="edge")
    intensity = camera.black + (1.0 - camera.black) * _blurred(padded, camera.blur, radius)
    return np.log(intensity), {"row": row + top, "column": column + left, "down": down, "right": right}


def _blurred(image, sigma, radius):
    """The image under a Gaussian point spread, without the ``radius`` pixels at its border."""
    if radius == 0:
        return image
    weight = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    weight /= weight.sum()
    for _ in range(2):  # along the rows, then, transposed, along the columns
        image = sum(w * image[i:len(image) - 2 * radius + i] for i, w in enumerate(weight)).T
    return np.ascontiguousarray(image)


def _run(**arguments):
    """The kernel with event columns that grow as it asks; returns them without their spare ends."""
    progress = np.zeros(2, np.int64)
    columns = {name: np.empty(_FIRST_GUESS, dtype)
               for name, dtype in (("t", np.float64), ("x", np.uint16), ("y", np.uint16), ("p", np.uint8))}
    while kernels.call("camera_events", **arguments, progress=progress, **columns) == Status.GROW:
        columns = {name: np.concatenate([column, np.empty_like(column)]) for name, column in columns.items()}
    return [column[:progress[1]] for column in columns.values()]

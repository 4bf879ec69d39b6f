"""A recording as frames that a page can play: for every frame the cells that have events, and how many."""

import base64

import numpy as np

_MOST_CELLS = 128  # along a side
_MOST_FRAMES = 90
_MOST_ENTRIES = 250_000
_MOST_COUNT = 255


def of_events(events, duration) -> dict:
    """Plain values of frames over ``duration`` ms of `Events` whose times count from its beginning.

    Large sensors are pooled, ``pool`` x ``pool`` pixels a cell. Frame i has the entries frame_ptr[i]..frame_ptr[i + 1]
    - 1 of cell, uint16[n] as base64 (``(y * width + x) * 2 + p``), and count, uint8[n].
    """
    sensor = events.sensor
    n_frames = max(1, min(_MOST_FRAMES, int(np.ceil(duration))))
    inside = (events.t >= 0) & (events.t < 1000 * duration)
    frame = np.minimum(events.t[inside] * n_frames // max(round(1000 * duration), 1), n_frames - 1)
    x, y, p = (column[inside].astype(np.int64) for column in (events.x, events.y, events.p))
    pool = -(-max(sensor.width, sensor.height) // _MOST_CELLS)
    while True:
        width, height = -(-sensor.width // pool), -(-sensor.height // pool)
        cell = ((y // pool) * width + x // pool) * 2 + np.minimum(p, 1)
        keys, counts = np.unique(frame * (2 * width * height) + cell, return_counts=True)
        if len(keys) <= _MOST_ENTRIES or width * height == 1:
            break
        pool *= 2
    return {
        "width": width, "height": height, "pool": pool, "frame_ms": duration / n_frames,
        "frame_ptr": np.searchsorted(keys, np.arange(n_frames + 1) * (2 * width * height)).tolist(),
        "cell": _encoded(keys % (2 * width * height), "<u2"),
        "count": _encoded(np.minimum(counts, _MOST_COUNT), "u1"),
    }


def _encoded(values, dtype):
    return base64.b64encode(values.astype(dtype).tobytes()).decode()

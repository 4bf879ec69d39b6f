"""Recordings of every format, and who reads them: eventsim, and the packages that people use for it.

A reader takes a path and gives columns ``t, x, y, p`` of all events; where a package differs by design, ``None`` stands
for the column that is not compared.
"""

import io

import aedat4_files
import numpy as np

from eventsim import read
from eventsim.data.codecs import CODECS, open_recording
from eventsim.events import Events
from eventsim.sensor import Sensor

OURS = "eventsim"
IN_BLOCKS = "eventsim, in blocks"
SENSORS = {"nmnist": Sensor(34, 34)}
SENSOR = Sensor(346, 260)
_SUFFIXES = {"nmnist": ".bin", "evt2": ".raw", "evt3": ".raw", "mat": ".mat", "aedat2": ".aedat"}
_RATE = 2.0  # events a us
_PACKET = 10_000  # events of AEDAT 4's


def scene(n, sensor):
    """Events of an edge that moves over the sensor: columns close together, rows anywhere."""
    rng = np.random.default_rng(0)
    t = np.sort(rng.integers(0, int(n / _RATE) + 1, n))
    place = t / 250 + rng.normal(0, sensor.width / 12, n)
    x = place.astype(np.int64) % sensor.width
    return Events(t, x, rng.integers(0, sensor.height, n), rng.random(n) < 0.6, sensor)


def written(name, n, folder):
    """The path of a recording of a format."""
    events = scene(n, SENSORS.get(name, SENSOR))
    path = folder / (name + _SUFFIXES.get(name, f".{name}"))
    path.write_bytes(_BYTES[name](events) if name in _BYTES else CODECS[name].encode(events))
    return path


def _aedat2(events):
    records = np.empty((len(events), 2), ">u4")
    records[:, 0] = events.y.astype(np.int64) << 22 | events.x.astype(np.int64) << 12 | events.p.astype(np.int64) << 11
    records[:, 1] = events.t
    return b"#!AER-DAT2.0\r\n# AEChip: Davis346\r\n" + records.tobytes()


def _aedat4(events):
    """Without compression."""
    records = np.zeros(len(events), [("t", "<i8"), ("x", "<i2"), ("y", "<i2"), ("p", "i1"), ("", "V3")])
    for name in "txyp":
        records[name] = getattr(events, name)
    stream = {0: (aedat4_files.EVENTS, events.sensor.width, events.sensor.height)}
    return aedat4_files.head(aedat4_files.described(stream)) + b"".join(
        aedat4_files.packet(0, aedat4_files.vector(aedat4_files.EVENTS, len(part), part.tobytes()))
        for part in np.split(records, range(_PACKET, len(records), _PACKET))
    )


def _mat(events):
    """As MATLAB saves it: deflated, pixels counted from 1, all numbers double."""
    from scipy.io import savemat

    out = io.BytesIO()
    columns = {"x": events.x + 1.0, "y": events.y + 1.0, "p": events.p + 0.0, "ts": events.t + 0.0}
    savemat(out, {"TD": columns}, do_compression=True)
    return out.getvalue()


_BYTES = {"aedat2": _aedat2, "aedat4": _aedat4, "mat": _mat}


def ours(path):
    """Everything that is promised is checked: order, pixels, and that nothing is lost."""
    events = read(path)
    return events.t, events.x, events.y, events.p


def in_blocks(path):
    """Memory does not grow with the recording; gives the number of events."""
    with open_recording(path) as recording:
        return sum(map(len, recording))


def numpy_nmnist(path):
    """What people write; it knows nothing of overflow records."""
    record = np.fromfile(path, np.uint8).reshape(-1, 5).astype(np.uint32)
    t = (record[:, 2] & 127) << 16 | record[:, 3] << 8 | record[:, 4]
    return t, record[:, 0], record[:, 1], record[:, 2] >> 7


def tonic_nmnist(path):
    from tonic import io as tonic

    return _fields(tonic.read_mnist_file(str(path), tonic.events_struct))


def tonic_davis(path):
    """It counts pixels from the other corner."""
    from tonic import io as tonic

    t, x, y, p = _fields(tonic.read_davis_346(str(path))[2])
    return t, 345 - x, 259 - y, p


def expelliarmus(encoding):
    def load(path):
        from expelliarmus import Wizard

        t, *pixel = _fields(Wizard(encoding=encoding, fpath=path).read())
        # Of EVT3 it takes every fall of TIME_LOW for 4096 us, see `eventsim.data.codecs.evt3`.
        return None if encoding == "evt3" else t, *pixel

    return load


def faery(path):
    """It counts the rows of Event Stream from the other side."""
    from faery import events_stream_from_file

    stream = events_stream_from_file(path)
    t, x, y, p = _fields(np.concatenate(list(stream)))
    return t, x, stream.dimensions()[1] - 1 - y if path.suffix == ".es" else y, p


def event_stream(path):
    from event_stream import Decoder

    return _fields(np.concatenate(list(Decoder(str(path)))))


def aedat(path):
    from aedat import Decoder

    return _fields(np.concatenate([packet["events"] for packet in Decoder(str(path))]), on="on")


def dv_processing(path):
    from dv_processing import io as dv

    recording, parts = dv.MonoCameraRecording(str(path)), []
    while (part := recording.getNextEventBatch()) is not None:
        parts.append(part.numpy())
    return _fields(np.concatenate(parts), t="timestamp", on="polarity")


def scipy_mat(path):
    """Double as they are."""
    from scipy.io import loadmat

    td = loadmat(path)["TD"][0, 0]
    return td["ts"].ravel(), td["x"].ravel() - 1, td["y"].ravel() - 1, td["p"].ravel()


def _fields(array, t="t", on="p"):
    return array[t], array["x"], array["y"], array[on]


READERS = {
    "nmnist": {"NumPy": numpy_nmnist, "tonic": tonic_nmnist},
    "evt2": {"expelliarmus": expelliarmus("evt2"), "faery": faery},
    "evt3": {"expelliarmus": expelliarmus("evt3"), "faery": faery},
    "dat": {"expelliarmus": expelliarmus("dat"), "faery": faery},
    "es": {"event-stream": event_stream, "faery": faery},
    "aedat2": {"tonic": tonic_davis},
    "aedat4": {"aedat": aedat, "dv-processing": dv_processing, "faery": faery},
    "mat": {"scipy": scipy_mat},
}

"""What must hold of a codec's answer to any bytes, and recordings to begin with.

A recording decodes or is refused with one sentence that names it; no record is lost, as a slow reference counts them;
in blocks of any size it is the same; and what was decoded comes back when it is written and read again.
"""

import contextlib
import hashlib
import io
import pathlib
import re
import struct
import sys
import warnings

import numpy as np

sys.path.append(str(pathlib.Path(__file__).parents[1]))  # where the slow references are, for who is no test
from naive import aedat, decode, prophesee, slayer

from eventsim.data.codecs import CODECS, Recording, base, carried, csv, dat
from eventsim.data.codecs import aedat as aedat_header
from eventsim.data.codecs import prophesee as prophesee_words
from eventsim.errors import ConfigError, FormatError
from eventsim.events import Events
from eventsim.sensor import Sensor

SOURCE = "fuzzed.raw"
_HALF = 1 << 18  # us that what is written again may last: EVT3 and Event Stream write silences
_BLOCKS = ((1, 1), (7, 3), (64, 20))  # bytes, and events
_MOST_BLOCKS = 60
_CHIPS = {"DVS128": "dvs128", "DAVIS": "davis", "cochlea": "cochlea"}


@contextlib.contextmanager
def blocks_of(size, room):
    """Read ``size`` bytes at a time, and let kernels make ``room`` events at a time."""
    places = [(module, "BLOCK", size) for module in (base, carried, csv)]
    places += [(aedat_header, "BLOCK", max(size, 16)), (prophesee_words, "_ROOM", room)]  # 16 are shown in messages
    kept = [(module, name, getattr(module, name)) for module, name, _ in places]
    try:
        for module, name, value in places:
            setattr(module, name, value)
        yield
    finally:
        for module, name, value in kept:
            setattr(module, name, value)


def one_sentence(error):
    """The message of a refusal."""
    text = str(error)
    assert "\n" not in text and text.startswith(f"{SOURCE}: "), text
    return text


def read(codec, data):
    """Rows (t, x, y, p), the place of the last, what was skipped, the refusal or None, and the reader or None."""
    rows, place, reader = [], None, None
    try:
        reader = codec.reader(io.BytesIO(data), SOURCE)
        for block in reader.blocks():
            rows += zip(*(column.tolist() for column in block), strict=True)
            place = reader.place(len(block[0]) - 1) if len(block[0]) else place
    except (ConfigError, FormatError) as error:
        return rows, place, +reader.skipped if reader else None, one_sentence(error), reader
    return rows, place, +reader.skipped, None, reader


def decoded(codec, data):
    """The `Events`, or the refusal."""
    try:
        return codec.decode(data, source=SOURCE)
    except (ConfigError, FormatError) as error:
        return one_sentence(error)


def reference(name, body, reader):
    """Events and how many records are none, of the bytes behind a header; None where the reference does not apply."""
    if name in ("evt2", "evt3"):
        events, skipped = getattr(prophesee, name)(np.frombuffer(body, reader.word).tolist())
        return events, skipped.total()
    if name == "dat":
        bits = dat._BITS[reader.about.get("Version", "2")]
        return prophesee.dat(np.frombuffer(body, "<u4").reshape(-1, 2).tolist(), *bits), 0
    if name == "aedat2":
        chip = next((chip for name, chip in _CHIPS.items() if reader.about["chip"].lower().startswith(name.lower())),
                    None)
        events, others = aedat.aedat2(body, chip) if chip else ([], {})
        return (events, sum(others.values())) if chip else None
    if name in ("aedat3", "es"):
        return getattr(aedat, name)(body)
    if name in ("bs1", "bs3"):
        return getattr(slayer, name)(body), 0
    if name == "nmnist":
        events, _ = decode.nmnist(body, endless=False)
        return events, len(body) // 5 - len(events)
    if re.search(rb"[^-0-9, \t\r]", body.partition(b"\n")[0]):
        return None  # names its columns
    events, bad = decode.lines(body)
    return events, bad


def check(name, data):
    """Hold a codec to its laws; returns what it made of the bytes, so that it can be compared."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        codec = CODECS[name]
        rows, place, skipped, refusal, reader = whole = read(codec, data)
        size, room = _BLOCKS[len(data) % len(_BLOCKS)]
        size = max(size, len(data) // _MOST_BLOCKS)
        with blocks_of(size, room):
            again = read(codec, data)
        if name == "csv" and refusal:  # of several faults the one that is told depends on the blocks
            assert again[3]
        else:
            assert again[:4] == whole[:4], (size, again[:4], whole[:4])
        if refusal is None and rows and (wanted := reference(name, data[getattr(reader, "start", 0) :], reader)):
            assert (rows, skipped.total()) == wanted, (rows, skipped, wanted)
        events = decoded(codec, data)
        with blocks_of(size, room):
            again = decoded(codec, data)
        assert isinstance(again, Events) == isinstance(events, Events), (again, events)
        if isinstance(events, Events):
            assert again == events and _rows(events) == rows and events.skipped == again.skipped == dict(skipped)
            comes_back(codec, events)
        repaired(codec, data, events)
        if codec.decoder is not None:
            assert streamed(codec, data, size) == streamed(codec, data, len(data) + 1)
        return hashlib.sha256(repr((rows, place, skipped, refusal, str(events))).encode()).hexdigest()


def repaired(codec, data, events):
    """What is kept of a damaged recording is the same at once and in blocks, and all of one that is in order."""
    is_fine = isinstance(events, Events) and (codec.name != "csv" or data.endswith(b"\n"))  # else a number may be cut
    found = []
    for take in (Recording.events, lambda recording: [row for block in recording for row in _rows(block)]):
        try:
            recording = Recording(io.BytesIO(data), codec, SOURCE, repair=True)
            found.append((take(recording), recording.skipped, recording.reordered))
        except FormatError as error:
            found.append(one_sentence(error))
    at_once, in_blocks = found
    if isinstance(at_once, str):
        assert at_once == in_blocks and not is_fine, found
    else:
        assert (_rows(at_once[0]), *at_once[1:]) == in_blocks, found
        assert not is_fine or at_once == (events, events.skipped, 0), found


def _rows(events):
    return list(zip(*(getattr(events, column).tolist() for column in "txyp"), strict=True))


def comes_back(codec, events):
    """What was decoded is the same after it was written, where the format can hold it."""
    if codec.writer is None or events.t[-1] > _HALF or events.t[0] < 0:
        return
    try:
        data = codec.encode(events)
    except ConfigError:
        return
    assert codec.decode(data, events.sensor) == events


def streamed(codec, data, size):
    """Rows, counts and what was told of a stream that comes in pieces, or the refusal of its first line."""
    told, rows = [], []
    decoder = codec.decoder(Sensor(34, 34), told.append)
    try:
        for part in (*(decoder.feed(data[i : i + size]) for i in range(0, len(data), size)), decoder.end()):
            rows += _rows(part)
    except FormatError as error:
        return str(error)
    return rows, decoder.counts, sorted(told)


def seeds(name):
    """Recordings of a format that are in order."""
    rng = np.random.default_rng(0)
    t = np.sort(rng.integers(0, 9000, 20))
    pixel, p = rng.integers(0, 34, (2, 20)), rng.integers(0, 2, 20)
    codec = CODECS[name]
    if codec.writer is not None:
        yield codec.encode(Events(t, pixel[0], pixel[1] * (name != "bs1"), p, Sensor(34, 34)))
    if name == "csv":
        yield b"\xef\xbb\xbfp,timestamp, x,y\t\r\n1,2,3,4\r\n\r\n -5,6 ,7,8\n" + b"0" * 1000 + b"9,1,2,1\n9,9,9,1"
    if name == "evt3":
        yield b"% evt 3.0\n% end\n" + struct.pack("<12H", 0x8001, 0x6002, 0x0003, 0x2804, 0x3805, 0x4FFF, 0x50FF,
                                                   0x7123, 0xA001, 0xF000, 0x6001, 0x4001)
        yield b"% evt 3.0\n% end\n" + struct.pack("<7H", 0x0003, 0x8FFF, 0x6FFF, 0x2001, 0x8001, 0x6001, 0x2002)
    if name == "evt2":
        yield b"% evt 2.0\n% end\n" + struct.pack("<5I", 0x8FFFFFFF, 0x10000801, 0xA0000000, 0x80000001, 0x00001802)
    if name == "dat":
        yield b"% Version 1\n" + bytes([0, 8]) + struct.pack("<4I", 5, 1 << 17 | 3 << 9 | 4, 9, 2)
        yield b"% Version 2\n" + bytes([12, 8]) + struct.pack("<4I", 0xFFFFFFF0, 1 << 28, 7, 1 << 14)
    for chip, addresses in (("DVS128", (5, 0x8001, 0x7FFF)), ("Davis346", (1 << 22 | 5 << 12, 1 << 31, 0x80000C00)),
                            ("CochleaAMS1c", (5, 0x2001, 0x400)), (None, (7, 0x7FFF, 1 << 17))):
        if name == "aedat2":
            head = f"#!AER-DAT2.0\r\n# AEChip: {chip}\r\n" if chip else "#!AER-DAT2.0\r\n"
            yield head.encode() + b"".join(struct.pack(">2I", address, time % (1 << 32))
                                            for time in (-9, 5) for address in addresses)
    if name == "aedat3":
        packet = struct.pack("<2h6i", 1, 1, 8, 4, 0, 2, 2, 1) + struct.pack("<4I", 5 << 17 | 9 << 2 | 3, 7, 2, 8)
        other = struct.pack("<2h6i", 3, 1, 5, 0, 0, 1, 1, 1) + b"other"
        yield b"#!AER-DAT3.1\r\n#Format: RAW\r\n#Source 1: DVS128\r\n#!END-HEADER\r\n" + packet + other + packet

"""Files of AEDAT 4, written by hand: uncompressed packets, FlatBuffers of the fewest fields."""

import struct

MAGIC = b"#!AER-DAT4.0\r\n"
EVENTS, FRAME, IMUS, TRIGGERS = b"EVTS", b"FRME", b"IMUS", b"TRIG"


def described(streams):
    """The description of streams, {number: (kind, width, height)}, in XML."""
    nodes = "".join(
        f'<node name="{number}" path="/outInfo/{number}/">{_text("compression", "NONE")}'
        f'{_text("originalOutputName", "events")}{_text("typeIdentifier", kind.decode())}'
        f'<node name="info" path="/outInfo/{number}/info/"><attr key="sizeX" type="int">{width}</attr>'
        f'<attr key="sizeY" type="int">{height}</attr>{_text("source", "DVXplorer")}</node></node>'
        for number, (kind, width, height) in streams.items()
    )
    return f'<dv version="2.0"><node name="outInfo" path="/outInfo/">{nodes}</node></dv>'.encode()


def _text(key, value):
    return f'<attr key="{key}" type="string">{value}</attr>'


def head(text, end=-1, compression=0, fields=3, kind=b"IOHE"):
    """What is ahead of the packets: fields of the table are the compression, the packets' end, and the text."""
    entries = [4, 8, 16][:fields]
    data = struct.pack("<I4s", 24, kind) + struct.pack("<2H", 4 + 2 * fields, 20).ljust(4)
    data = (data + b"".join(struct.pack("<H", entry) for entry in entries)).ljust(24, b"\0")
    data += struct.pack("<iiqI", 16, compression, end, 4) + struct.pack("<I", len(text)) + text + b"\0"
    return MAGIC + struct.pack("<I", len(data)) + data


def packet(stream, data):
    return struct.pack("<2I", stream, len(data)) + data


def vector(kind, n, elements):
    """A table of one field, a vector of ``n`` elements."""
    data = struct.pack("<I4s4HiI", 16, kind, 6, 8, 4, 0, 8, 4) + struct.pack("<I", n) + elements
    return struct.pack("<I", len(data)) + data


def events(rows):
    return vector(EVENTS, len(rows), b"".join(struct.pack("<qhhB3x", *row) for row in rows))


def tables(kind, n):
    """A vector of ``n`` tables in which every field has its default: triggers, or values of an IMU."""
    offsets = b"".join(struct.pack("<I", 4 * (n - i) + 4) for i in range(n))
    return vector(kind, n, offsets + struct.pack("<2Hi", 4, 4, 4))


def frame():
    """A frame of no pixels."""
    return struct.pack("<II4s2Hi", 20, 12, FRAME, 4, 4, 4)

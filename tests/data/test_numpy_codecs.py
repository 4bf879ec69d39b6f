"""Arrays in .npy and .npz files."""

import io
import struct
import zipfile

import numpy as np
import pytest
from codec_laws import takes_no_memory
from hypothesis import given, settings
from hypothesis import strategies as st
from mutations import mutated, outcomes
from numpy.lib import format as npy

from eventsim.data import CODECS, read, write
from eventsim.data.codecs import base, numpy_archive, open_recording
from eventsim.errors import ConfigError, FormatError
from eventsim.events import Events
from eventsim.sensor import Sensor

NPY, NPZ = CODECS["npy"], CODECS["npz"]
SENSOR = Sensor(300, 200, 3)
PLAIN = np.array([(5, 1, 2, 0), (5, 3, 4, 1), (9, 299, 0, 2)], [("t", "<i8"), ("x", "<u2"), ("y", "<u2"), ("p", "u1")])
EVENTS = Events.from_structured(PLAIN, SENSOR)
BOTH = pytest.mark.parametrize("codec", [NPY, NPZ], ids=["npy", "npz"])


def saved(array):
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


def zipped(compressed=False, **arrays):
    out = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(out, **arrays)
    return out.getvalue()


def columns(**others):
    return {name: PLAIN[name] for name in PLAIN.dtype.names} | others


def refusal(codec, data, **options):
    with pytest.raises(FormatError) as refused:
        codec.decode(data, source="a", **options)
    return str(refused.value)


@st.composite
def some_events(draw):
    rows = draw(st.lists(st.tuples(st.integers(-(2**63), 2**63 - 1), st.integers(0, 299), st.integers(0, 199),
                                   st.integers(0, 2)), min_size=1, max_size=40))
    return Events(*np.array(sorted(rows, key=lambda row: row[0])).T, SENSOR)


def test_the_decoded_sample_has_the_known_events(shared):
    events = read(shared / "data/aer/evt3_sample.npy")
    assert (len(events), events.p.sum(), events.sensor) == (219_596, 115_532, Sensor(1280, 720))
    assert (events.t[0], events.t[-1]) == (11_718_656, 11_772_513)
    assert events == Events.from_structured(np.load(shared / "data/aer/evt3_sample.npy"), Sensor(1280, 720))


@BOTH
@settings(deadline=None, derandomize=True)
@given(events=some_events(), cut=st.integers(0, 40))
def test_what_is_written_comes_back_in_however_many_parts(codec, events, cut):
    data = codec.encode(events)
    assert codec.decode(data, SENSOR) == events
    out = io.BytesIO()
    writer = codec.writer(out, SENSOR)
    for part in (slice(0, cut), slice(cut, cut), slice(cut, None)):
        writer.write(events[part])
    writer.finish()
    assert out.getvalue() == data
    assert out.tell() == len(data)


def test_what_is_written_is_what_numpy_loads():
    array = np.load(io.BytesIO(NPY.encode(EVENTS)), allow_pickle=False)
    assert array.dtype == PLAIN.dtype and (array == PLAIN).all()
    with np.load(io.BytesIO(NPZ.encode(EVENTS)), allow_pickle=False) as archive:
        assert sorted(archive) == ["p", "sensor", "t", "x", "y"]
        assert all((archive[name] == PLAIN[name]).all() for name in "txyp")
        assert archive["sensor"].tolist() == [300, 200, 3]


def test_an_archive_keeps_its_sensor_and_an_array_has_the_smallest():
    assert NPZ.decode(NPZ.encode(EVENTS)) == EVENTS
    assert NPY.decode(NPY.encode(EVENTS)).sensor == Sensor(300, 5, 3)


def test_columns_that_do_not_fit_in_memory_wait_on_disk(monkeypatch):
    data = NPZ.encode(EVENTS)
    monkeypatch.setattr(numpy_archive, "_IN_MEMORY", 4)
    assert NPZ.encode(EVENTS) == data


def test_files_are_told_by_their_first_bytes(tmp_path):
    for codec in (NPY, NPZ):
        (tmp_path / "a.bin").write_bytes(codec.encode(EVENTS))
        assert read(tmp_path / "a.bin", SENSOR) == EVENTS
    assert not NPZ.matches(b"PK\3\4" + bytes(22) + struct.pack("<2H", 9, 0) + b"Train/0/1")
    write(tmp_path / "a.npz", EVENTS)
    assert read(tmp_path / "a.npz") == EVENTS


def test_a_stream_is_read_too(tmp_path):
    class Pipe(io.BytesIO):
        def seekable(self):
            return False

    assert read(Pipe(NPZ.encode(EVENTS))) == EVENTS
    assert read(Pipe(NPY.encode(EVENTS)), SENSOR) == EVENTS
    with pytest.raises(ConfigError, match="says at its start how many events it holds; write it to a file"):
        NPY.writer(Pipe(), SENSOR)


@pytest.mark.parametrize("names", [
    "txyp", "xypt", "ptyx", ("ts", "x", "y", "polarity"), ("x", "y", "timestamp", "on"),
])
@pytest.mark.parametrize("types", [
    ("<i8", "<i2", "?"), (">u4", ">u2", "|i1"), ("<f8", "<f4", "<f2"), ("<u8", "<i8", "<u4"),
])
def test_columns_are_found_by_name_in_any_order_and_of_any_type(names, types):
    column = {"t": 0, "ts": 0, "timestamp": 0, "x": 1, "y": 1}
    dtype = [(name, types[column.get(name, 2)]) for name in names]
    wanted = EVENTS[:2]
    array = np.empty(2, dtype)
    for name in names:
        array[name] = getattr(wanted, {"ts": "t", "timestamp": "t", "on": "p", "polarity": "p"}.get(name, name))
    assert NPY.decode(saved(array), SENSOR) == wanted
    assert NPZ.decode(zipped(what=array), SENSOR) == wanted
    assert NPZ.decode(zipped(**{name: array[name] for name in names}), SENSOR) == wanted


def test_padding_titles_and_version_2_are_read():
    padded = np.zeros(3, np.dtype({"names": list("txyp"), "formats": ["<i8", "<i2", "<i2", "u1"],
                                   "offsets": [0, 8, 10, 12], "itemsize": 16}))
    titled = np.zeros(3, [("t", "<u8"), ("x", "<u2"), ("y", "<u2"), (("p", "on"), "?")])
    for array in (padded, titled):
        array["t"] = PLAIN["t"]
        assert NPY.decode(saved(array)).t.tolist() == [5, 5, 9]
    out = io.BytesIO()
    npy.write_array(out, PLAIN, version=(2, 0))
    assert NPY.decode(out.getvalue(), SENSOR) == EVENTS


@pytest.mark.parametrize("block", [1, 13, 40])
@pytest.mark.parametrize("data", [saved(PLAIN), zipped(a=PLAIN), zipped(True, a=PLAIN), zipped(**columns())])
def test_blocks_may_end_anywhere(data, block, monkeypatch):
    monkeypatch.setattr(base, "BLOCK", block)
    assert (NPY if data[:1] == b"\x93" else NPZ).decode(data, SENSOR) == EVENTS


def test_other_fields_and_arrays_are_named(tmp_path):
    wide = np.zeros(3, [*PLAIN.dtype.descr, ("label", "<i4"), ("event\n", "<i4")])
    (tmp_path / "a.npy").write_bytes(saved(wide))
    with open_recording(tmp_path / "a.npy") as recording:
        assert recording.about == {"other fields": "'event\\n', label"}
    for data, about in ((zipped(**columns(label=[3], sensor=["DVS"])), {"other arrays": "label, sensor"}),
                        (zipped(a=wide, b=[1.5]), {"other fields": "'event\\n', label", "other arrays": "b"}),
                        (NPZ.encode(EVENTS), {})):
        (tmp_path / "a.npz").write_bytes(data)
        with open_recording(tmp_path / "a.npz") as recording:
            assert recording.about == about


def npy_file(text, version=1):
    text = text.encode()
    return b"\x93NUMPY" + bytes([version, 0]) + len(text).to_bytes(2 * version, "little") + text


def described(descr, shape="(3,)"):
    return npy_file(f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}}}\n")


HEADER = len(saved(PLAIN)) - PLAIN.nbytes
SAVE = "save events as a structured array with the fields t, x, y and p"


@pytest.mark.parametrize(("data", "got"), [
    (b"", "is empty; "),
    (b"\x93NUMPY\1", r"begins with b'\x93NUMPY\x01', expected b'\x93NUMPY' and a version; name the format that it has"),
    (b"12345678", r"begins with b'12345678', expected b'\x93NUMPY' and a version; name the format that it has"),
    (npy_file("", 3), "is of version 3.0, expected 1.0 or 2.0; save it again, with names of plain letters"),
    (b"\x93NUMPY\2\0\xff\xff\xff\x7f", "says by byte 8 that its header has 2147483647 bytes, expected at most 10000; "),
    (npy_file("{'descr'"), "has a header by byte 8 that tells of no array ("),
    (b"\x93NUMPY\1\0\x10", "has a header by byte 8 that tells of no array ("),
    (npy_file("(" * 9000), "has a header by byte 8 that tells of no array ("),
    (described("'<f8'"), f"holds plain values (<f8), which do not say what they are; {SAVE}"),
    (saved(np.zeros((4, 4))), f"has the shape (4, 4), expected one axis; {SAVE}"),
    (described("'<f8'", "(-1,)"), f"has the shape (-1,), expected one axis; {SAVE}"),
    (described("'<f8'", f"({'9' * 4000},)"), f"has the shape ({'9' * 96}..., expected one axis; {SAVE}"),
    (described("'|O'"), f"holds Python objects, expected numbers; {SAVE}"),
    (described("[('t', '<i8'), ('x', '|O')]"), f"holds Python objects, expected numbers; {SAVE}"),
    (described("[('t', '<i8'), ('x', '|V99999999')]"), f"holds records of 100000007 bytes, expected numbers; {SAVE}"),
    (described("[('t', '<i8'), ('x', '<i8')]"),
     "has the fields t, x, expected t (or ts, timestamp), x, y and p (or on, polarity) among them; rename them"),
    (described("[('t', '<M8[us]'), ('x', 'u1'), ('y', 'u1'), ('p', 'u1')]"),
     "field t is of type <M8[us], expected whole numbers; save it so"),
    (described("[('t', '<i8'), ('x', 'u1', (2,)), ('y', 'u1'), ('p', 'u1')]"), "field x is of type |V2, expected "),
    (saved(PLAIN)[:-1], "ends 1 bytes before the end of the 3 records that its header says; copy or download it again"),
    (saved(PLAIN) + b"x", "goes on behind the 3 records that its header says; copy or download it again"),
    (saved(PLAIN[:0]), "holds no event; "),
    (described("[('t', '<i8'), ('x', 'u1'), ('y', 'u1'), ('p', 'u1')]", f"({1 << 59},)"),
     f"ends {11 << 59} bytes before the end of the {1 << 59} records that its header says; "),
    (saved(PLAIN[::-1]), f"event 1 at byte {HEADER + 13} is at 5 us, before the 9 us of the event ahead of it; "),
])
def test_an_array_that_is_no_recording_is_refused(data, got):
    assert refusal(NPY, data).startswith(f"a: {got}")


def member(name, data, **changes):
    """A zip of one member."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        info = zipfile.ZipInfo(name)
        for key, value in changes.items():
            setattr(info, key, value)
        archive.writestr(info, data)
    return out.getvalue()


@pytest.mark.parametrize(("data", "got"), [
    (b"", "is empty; "),
    (b"PK\3\4 and no more", "cannot be unpacked (File is not a zip file); copy or download it again"),
    (member("readme.txt", b"hello"), "holds no arrays, expected the arrays t, x, y and p, or one structured array "),
    (zipped(t=[1], x=[1], y=[1]),
     "holds the arrays t, x, y, expected the arrays t, x, y and p, or one structured array with these fields; save "),
    (zipped(a=PLAIN, b=PLAIN), "holds several recordings (a, b), expected the arrays t, x, y and p, or one "),
    (zipped(**columns(p=[1])), "has 3 of t, 3 of x, 3 of y, 1 of p, expected as many of each; save it anew"),
    (zipped(**columns(p=["on", "on", "off"])), "array p is of type <U3, expected whole numbers; save it so"),
    (zipped(**columns(p=[[1, 2, 3]])), f"array p: has the shape (1, 3), expected one axis; {SAVE}"),
    (zipped(**columns(sensor=[0, 5, 2])), "array sensor: sensor width must be a whole number from 1 to 65536, got 0; "),
    (member("a.npy", b"text"), r"array a: begins with b'text', expected b'\x93NUMPY' and a version; "),
    (member("a.npy", saved(PLAIN), compress_type=zipfile.ZIP_BZIP2), "array a is neither stored nor deflated; save it"),
    (zipped(a=PLAIN).replace(saved(PLAIN)[-13:], bytes(13)),
     "array a: cannot be unpacked (Bad CRC-32 for file 'a.npy'); copy or download it again"),
    (zipped(**columns(t=[1.0, 2.0, 2.5])),
     "event 2 at row 2 has t = 2.5, expected a whole number, of microseconds where it is a time; save it so"),
    (zipped(**columns(t=[1.0, 2.0, np.nan])), "event 2 at row 2 has t = nan, expected a whole number"),
    (zipped(**columns(t=[1.0, 2.0, 1e18])), "event 2 at row 2 has t = 1e+18, expected a whole number"),
    (zipped(**columns(t=np.array([1, 2, 1 << 63], np.uint64))),
     f"event 2 at row 2 has t = {1 << 63}, which no sensor has"),
    (zipped(**columns(x=[1, -2, 3])), "event 1 at row 1 has x = -2, which no sensor has (0..65535); "),
])
def test_an_archive_that_is_no_recording_is_refused(data, got, monkeypatch):
    monkeypatch.setattr(base, "BLOCK", 40)
    assert refusal(NPZ, data).startswith(f"a: {got}")


def test_nothing_in_a_file_is_run(tmp_path):
    class Bomb:
        def __reduce__(self):
            return (open, (str(tmp_path / "ran"), "w"))

    bombs = np.array([Bomb()] * 3, object)
    for codec, data in ((NPY, saved(bombs)), (NPZ, zipped(**columns(t=bombs)))):
        assert "holds Python objects" in refusal(codec, data)
    assert not (tmp_path / "ran").exists()


def test_a_bomb_of_zeros_takes_no_memory():
    n = 1 << 20
    data = zipped(True, **{name: np.zeros(n, np.uint8) for name in "txyp"})
    takes_no_memory(data, n)


@pytest.mark.parametrize("data", [saved(PLAIN), zipped(a=PLAIN), zipped(True, **columns()), NPZ.encode(EVENTS)],
                         ids=["npy", "structured", "deflated", "ours"])
def test_a_damaged_file_decodes_or_is_refused(data, rng):
    codec = NPY if data[:1] == b"\x93" else NPZ
    assert outcomes(codec.decode, mutated(rng, data, 2000))[0] > 10

"""MATLAB's files of the ATIS kind, of version 5 and 7.3."""

import io

import mat_files as made
import numpy as np
import pytest
from codec_laws import takes_no_memory
from hypothesis import given, settings
from hypothesis import strategies as st
from mutations import mutated, outcomes

from eventsim.data import CODECS, read
from eventsim.data.codecs import base, mat5, mat73, open_recording
from eventsim.errors import ConfigError, FormatError
from eventsim.events import Events
from eventsim.sensor import Sensor

MAT = CODECS["mat"]
COLUMNS = {"x": [1, 304, 7], "y": [240, 1, 9], "p": [0, 1, 1], "ts": [5, 5, 70_000]}
WANTED = Events([5, 5, 70_000], [0, 303, 6], [239, 0, 8], [0, 1, 1], Sensor(304, 240))


def td(columns=None, order="<", name="TD", n=1, **others):
    """A struct of rows, in the smallest types as MATLAB stores them, all of which it takes for double."""
    fields = {}
    for field, values in (columns or COLUMNS).items():
        values = np.asarray(values)
        small = values.astype(np.min_scalar_type(int(np.abs(values).max(initial=0)))) if (values >= 0).all() else values
        fields[field] = made.vector("", small, order, kind=6)
    return made.of_structs(name, fields | others, order, n)


def hdf5(columns=None, **options):
    return made.mat73(made.td_group(columns or COLUMNS, **options))


FILES = {
    "little": made.mat5(td()), "big": made.mat5(td(order=">"), order=">"), "deflated": made.mat5(td(), deflated=True),
    "7.3": hdf5(), "7.3 deflated": hdf5(compression="gzip", chunks=(2, 1)),
}
ALL = pytest.mark.parametrize("data", FILES.values(), ids=FILES)


def refusal(data, **options):
    with pytest.raises(FormatError) as refused:
        MAT.decode(data, source="a.mat", **options)
    return str(refused.value)


def about(tmp_path, data):
    (tmp_path / "a.mat").write_bytes(data)
    with open_recording(tmp_path / "a.mat") as recording:
        recording.events()
        return recording.about


@ALL
def test_a_struct_of_vectors_is_read(data, tmp_path):
    assert MAT.decode(data) == WANTED
    (tmp_path / "a.bin").write_bytes(data)
    assert read(tmp_path / "a.bin") == WANTED  # told by its first bytes
    assert about(tmp_path, data) == {"pixels": "counted from 1", "polarities": "0 and 1"}


@ALL
@pytest.mark.parametrize("block", [1, 40])
def test_blocks_may_end_anywhere(data, block, monkeypatch):
    monkeypatch.setattr(base, "BLOCK", block)
    monkeypatch.setattr(mat5, "_PIECE", 3)
    assert MAT.decode(data) == WANTED


@settings(deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.integers(0, 2**40), st.integers(1, 304), st.integers(1, 240), st.integers(0, 1)),
                min_size=1, max_size=30), st.booleans())
def test_what_scipy_writes_is_read(rows, compress):
    scipy = pytest.importorskip("scipy.io")
    t, x, y, p = np.array(sorted(rows, key=lambda row: row[0])).T
    out = io.BytesIO()
    scipy.savemat(out, {"comment": "of nothing", "TD": {"x": x, "y": y.astype(float), "p": p.astype(np.uint8), "ts": t},
                        "more": np.eye(3)}, do_compression=compress, oned_as="column" if compress else "row")
    events = MAT.decode(out.getvalue(), Sensor(304, 240))
    assert events == Events(t, x - 1, y - 1, p, Sensor(304, 240))


def test_scipy_reads_what_is_made_by_hand():
    scipy = pytest.importorskip("scipy.io")
    for name in ("little", "big", "deflated"):
        struct = scipy.loadmat(io.BytesIO(FILES[name]), simplify_cells=True)["TD"]
        assert {field: values.tolist() for field, values in struct.items()} == COLUMNS


@pytest.mark.parametrize("make", [lambda columns: made.mat5(td(columns)), hdf5])
@pytest.mark.parametrize(("polarities", "on", "told"), [
    ([0, 1, 1], [0, 1, 1], "0 and 1"), ([-1, 1, -1], [0, 1, 0], "-1 and 1"), ([1, 2, 2], [0, 1, 1], "1 and 2"),
    ([1, 1, 1], [1, 1, 1], "0 and 1"), ([0, 0, 0], [0, 0, 0], "0 and 1"), ([2, 2, 2], [1, 1, 1], "1 and 2"),
    ([-1, -1, -1], [0, 0, 0], "-1 and 1"),
])
def test_the_larger_polarity_is_on(make, polarities, on, told, tmp_path):
    data = make(COLUMNS | {"p": polarities})
    assert MAT.decode(data).p.tolist() == on
    assert about(tmp_path, data)["polarities"] == told


@pytest.mark.parametrize(("x", "y", "first"), [([1, 2, 3], [1, 2, 3], 1), ([0, 2, 3], [1, 2, 3], 0),
                                               ([1, 2, 3], [5, 2, 0], 0), ([9, 9, 9], [9, 9, 9], 1)])
def test_pixels_count_from_1_unless_one_is_0(x, y, first, tmp_path, monkeypatch):
    monkeypatch.setattr(base, "BLOCK", 1)  # the zero may stand in any block
    data = made.mat5(td(COLUMNS | {"x": x, "y": y}))
    events = MAT.decode(data)
    assert events.x.tolist() == [one - first for one in x] and events.y.tolist() == [one - first for one in y]
    assert about(tmp_path, data)["pixels"] == f"counted from {first}"


def test_numbers_are_of_any_type_and_of_short_elements():
    for code in made.TYPES:
        fields = {field: made.vector("", np.array(values).astype(code)) for field, values in
                  {"x": [1, 2], "y": [3, 4], "p": [0, 1], "t": [5, 6]}.items()}
        events = MAT.decode(made.mat5(made.of_structs("TD", fields)))
        assert (events.t.tolist(), events.x.tolist(), events.y.tolist()) == ([5, 6], [0, 1], [2, 3])


def test_the_struct_may_have_another_name_and_vectors_may_be_variables(tmp_path):
    loose = [made.vector(name, values) for name, values in COLUMNS.items()]

    def make(file):
        for name, values in COLUMNS.items():
            file[name] = np.array([values])

    for data in (made.mat5(td(name="events")), made.mat5(*loose, deflated=True),
                 made.mat5(made.vector("a", [1]), *loose), made.mat73(make)):
        assert MAT.decode(data) == WANTED
    other = td(COLUMNS | {"x": [9, 9, 9]}, name="EM")
    assert MAT.decode(made.mat5(other, td(), *loose)) == MAT.decode(made.mat5(td(), other)) == WANTED


def test_what_is_not_read_is_named(tmp_path):
    text = made.matrix("s", 4, (1, 2), made.element(16, b"hi"))
    cell = made.matrix("c", 1, (1, 1), made.vector("", [1.5]))
    data = made.mat5(text, td(type=made.vector("", [1, 2]), x_dim=cell), cell)
    assert MAT.decode(data) == WANTED
    counted = {"pixels": "counted from 1", "polarities": "0 and 1"}
    assert about(tmp_path, data) == {"other fields": "type, x_dim", "other variables": "s, c"} | counted

    def make(file):
        made.td_group(COLUMNS | {"f": [1]})(file)
        file["s"] = [1.5]

    data = made.mat73(make)
    assert MAT.decode(data) == WANTED
    assert about(tmp_path, data) == {"other fields": "f", "other variables": "s"} | counted


END = len(FILES["little"])
EXPECTED = ("expected a struct TD with x, y, p and ts (or t), all of them vectors of real numbers; save it so")
HEAD = FILES["little"][:128]


def damaged(at, data, of=None):
    """The file with other bytes in its variable."""
    out = bytearray(FILES["little"] if of is None else of)
    out[at : at + len(data)] = data
    return bytes(out)


@pytest.mark.parametrize(("data", "got"), [
    (b"", "is empty; a recording has at least one event; copy or download it again"),
    (b"MATLAB", "is no MAT-file of version 5 or 7.3; save it in MATLAB with -v7 or -v7.3"),
    (HEAD[:124] + b"\0\3IM", "is no MAT-file of version 5 or 7.3; "),
    (HEAD, f"holds no variable, {EXPECTED}"),
    (made.mat5(made.vector("a", [1.5]), td({"x": [1], "y": [1], "p": [1]})), f"holds the variables a, TD, {EXPECTED}"),
    (made.mat5(td(n=3)), f"holds the variables TD (3 structs), {EXPECTED}"),
    (made.mat5(td(name="a"), td(name="b")), f"holds several recordings (a, b), {EXPECTED}"),
    (made.mat5(td(ts=made.vector("", [1.0, 2.0], flags=8))), f"holds the variables TD, {EXPECTED}"),  # complex
    (made.mat5(td(ts=made.matrix("", 9, (2, 2), made.element(2, b"1234")))), f"holds the variables TD, {EXPECTED}"),
    (made.mat5(td(ts=made.element(14, b""))), f"holds the variables TD, {EXPECTED}"),
    (made.mat5(td(COLUMNS | {"p": [1]})), "has 3 of t, 3 of x, 3 of y, 1 of p, expected as many of each; save it anew"),
    (made.mat5(td({name: [] for name in COLUMNS})), "holds no event; "),
    (hdf5({name: [] for name in COLUMNS}), "holds no event; "),
    (made.mat5(td(COLUMNS | {"p": [0, 1, 2]})), "has the polarities 0, 1, 2, expected 0 and 1, -1 and 1, or 1 and 2; "),
    (hdf5(COLUMNS | {"p": [0.0, 0.5, 1.0]}), "has the polarities 0, 0.5, 1, expected 0 and 1, "),
    (hdf5(COLUMNS | {"p": [0, np.nan, 0]}), "has the polarities "),
    (hdf5(COLUMNS | {"ts": [0.001, 0.002, 0.003]}), "event 0 at row 0 has t = 0.001, expected a whole number, of "),
    (hdf5(COLUMNS | {"x": [1.0, np.inf, 3.0]}), "event 1 at row 1 has x = inf, expected a whole number"),
    (made.mat5(td(COLUMNS | {"x": [-1, 2, 3]})), "event 0 at row 0 has x = -1, which no sensor has (0..65535); "),
    (made.mat5(td(COLUMNS | {"ts": [5, 4, 6]})), "event 1 at row 1 is at 4 us, before the 5 us of the event "),
    (FILES["little"] + b"123", f"has no variable at byte {END} (ends 1 bytes early); copy or download it again"),
    (FILES["little"] + bytes(8), f"has no variable at byte {END} (type 0); copy or download it again"),
    (FILES["little"] + b"\1\0\5\0\0\0\0\0", f"has no variable at byte {END} (5 bytes in an element of 4); "),
    (FILES["little"][:-8], "the variable at byte 128 ends 8 bytes behind the end of the file; copy or download it "),
    (damaged(156, b"\4"), "the variable at byte 128 is damaged (a matrix with 8 bytes of flags and 1 sizes); "),
    (damaged(140, b"\x7f\0\0\0"), "the variable at byte 128 is damaged (127 bytes where at most 8 can be); "),
    (FILES["deflated"][:140] + bytes(50) + FILES["deflated"][190:], "the variable at byte 128 is damaged (Error -3 "),
    (HEAD + b"\x0f\0\0\0\x08\0\0\0" + FILES["deflated"][136:144], "the variable at byte 128 is damaged (ends "),
    (FILES["7.3"][:2000], "is damaged or no MAT-file of version 7.3 ("),
    (made.mat73(lambda file: file.create_group("TD")), f"holds the variables TD, {EXPECTED}"),
])
def test_a_file_that_is_no_recording_is_refused(data, got):
    assert refusal(data).startswith(f"a.mat: {got}")


def test_vectors_of_other_files_are_not_followed(tmp_path):
    (tmp_path / "other.mat").write_bytes(hdf5())

    def make(file):
        import h5py

        file["TD"] = h5py.ExternalLink(str(tmp_path / "other.mat"), "/TD")

    assert refusal(made.mat73(make)) == f"a.mat: holds the variables TD, {EXPECTED}"


def test_a_chunk_that_is_huge_is_not_unpacked(monkeypatch):
    monkeypatch.setattr(mat73, "_CHUNKS", 8)
    assert refusal(hdf5(compression="gzip", chunks=(2, 1))) == f"a.mat: holds the variables TD, {EXPECTED}"


def test_numbers_that_are_not_there_are_not_made_up():
    def make(file):
        made.td_group(COLUMNS)(file)
        del file["TD/ts"]
        file["TD"].create_dataset("ts", (1 << 50, 1), "u1", chunks=(64, 1))

    assert refusal(made.mat73(make)) == (
        f"a.mat: TD.ts: says that it has {1 << 50} numbers, which 0 bytes cannot hold; copy or download it again"
    )


def test_files_are_not_written():
    with pytest.raises(ConfigError, match="MATLAB is only read; write another format"):
        MAT.encode(WANTED)


@pytest.mark.parametrize("pack", [lambda columns: made.mat5(td(columns), deflated=True),
                                  lambda columns: hdf5(columns, compression="gzip", chunks=(4096, 1), dtype="u1")])
def test_a_long_recording_takes_no_memory(pack):
    n = 1 << 20
    data = pack({name: np.ones(n, np.uint8) for name in COLUMNS})
    takes_no_memory(data, n)


@ALL
def test_a_damaged_file_decodes_or_is_refused(data, rng):
    assert outcomes(MAT.decode, mutated(rng, data, 1500))[0] > 5

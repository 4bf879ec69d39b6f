"""The text ahead of Prophesee's recordings: what it says, where it ends, and how formats are told by it."""

import io

import pytest

from eventsim.data import CODECS
from eventsim.data.codecs import choose, open_recording
from eventsim.data.codecs.evt2 import encode
from eventsim.data.codecs.prophesee import encoding_of, header_of, sensor_of
from eventsim.errors import FormatError
from eventsim.events import Events
from eventsim.sensor import Sensor

EVK4 = (b"% camera_integrator_name Prophesee\n% date 2023-03-29 16:37:46\n% evt 3.0\n% format "
        b"EVT3;height=720;width=1280\n% generation 4.2\n% geometry 1280x720\n% serial_number 00ca0009\n"
        b"% system_ID 49\n% end\n")
RECORDS = encode(Events([5, 7], [1, 2], [3, 4], [0, 1], Sensor(640, 480))).partition(b"% end\n")[2]


def refusal(data, codec="evt2"):
    with pytest.raises(FormatError) as refused:
        CODECS[codec].decode(data, source="a.raw")
    return str(refused.value)


def test_a_header_says_what_its_lines_say():
    fields, size, is_whole = header_of(EVK4 + b"\0\1")
    assert fields == {
        "camera_integrator_name": "Prophesee", "date": "2023-03-29 16:37:46", "evt": "3.0",
        "format": "EVT3;height=720;width=1280", "generation": "4.2", "geometry": "1280x720",
        "serial_number": "00ca0009", "system_ID": "49",
    }
    assert (size, is_whole) == (len(EVK4), True)
    assert (encoding_of(fields), sensor_of(fields)) == ("EVT3", Sensor(1280, 720))


@pytest.mark.parametrize(("lines", "fields"), [
    (b"% Data file containing CD events\n", {"Data file containing": "CD events"}),
    (b"% a  b c \r\n%  d\te\n", {"a": "b c", "d": "e"}), (b"% flag\n% \n", {"flag": ""}), (b"", {}),
    ("% name Zürich\n".encode(), {"name": "Zürich"}),
])
def test_lines_are_read_however_they_are_spaced(lines, fields):
    assert header_of(lines + b"\0") == (fields, len(lines), True)


@pytest.mark.parametrize("data", [
    b"% \0\n", b"%\n", b"%evt 2.0\n", b"% \x1b[31mred\n", b"% \x85\x90\n", b"\n", b"x% a b\n", "% \u009b1m\n".encode(),
])
def test_what_is_no_text_belongs_to_the_data(data):
    assert header_of(b"% evt 2.0\n" + data) == ({"evt": "2.0"}, 10, True)


def test_data_behind_the_end_may_look_like_a_line():
    assert header_of(b"% evt 2.0\n% end\n% no line\n") == ({"evt": "2.0"}, 16, True)


@pytest.mark.parametrize("data", [b"% evt 2.0\n", b"% evt 2.0\n% geom"])
def test_a_header_may_go_on_where_the_bytes_end(data):
    assert header_of(data) == ({"evt": "2.0"}, 10, False)


@pytest.mark.parametrize(("fields", "encoding"), [
    ({"evt": "2.0"}, "EVT2"), ({"evt": "3.0"}, "EVT3"), ({"evt": "2.1"}, "EVT21"), ({"evt": "2"}, "EVT2"), ({}, ""),
    ({"format": "EVT2;height=1;width=2", "evt": "3.0"}, "EVT2"), ({"format": "HISTO3D"}, "HISTO3D"),
])
def test_the_encoding_is_that_of_the_format_line_or_the_evt_line(fields, encoding):
    assert encoding_of(fields) == encoding


@pytest.mark.parametrize(("fields", "sensor"), [
    ({"geometry": "640x480"}, Sensor(640, 480)), ({"format": "EVT3;width=1280;height=720"}, Sensor(1280, 720)),
    ({"Width": "304", "Height": "240"}, Sensor(304, 240)), ({"Width": "304"}, None), ({}, None),
    ({"geometry": "0x480"}, None), ({"geometry": "640x480x2"}, None), ({"geometry": "65536x65536"}, None),
    ({"geometry": "999999x1"}, None), ({"geometry": "٣x٤"}, None), ({"format": "EVT3;=;;width"}, None),
])
def test_a_sensor_is_found_in_every_place_and_nonsense_is_none(fields, sensor):
    assert sensor_of(fields) == sensor


@pytest.mark.parametrize(("head", "name"), [
    (EVK4, "evt3"), (b"% evt 2.0\n\0\0\0\x80", "evt2"), (b"% format EVT2;height=1;width=1\n", "evt2"),
    (b"% Version 2\n\x0c\x08", "dat"), (b"% Version 2\n\x0e\x08", "dat"),
])
def test_a_format_is_told_by_the_header_whatever_the_suffix(head, name):
    assert choose("a.xyz", head=head).name == name
    assert choose("a.csv", head=head).name == name


@pytest.mark.parametrize("head", [b"% evt 2.1\n", b"% Version 2\n\x0c\x09", b"% Version 2\n", b"\x0c\x08", b"", b"% "])
def test_other_headers_tell_no_format(head):
    with pytest.raises(FormatError, match="names no known format"):
        choose("a.xyz", head=head)


def test_what_the_header_says_is_known_before_the_events_and_a_stream_is_read_once():
    class Stream(io.BytesIO):
        def seekable(self):
            return False

    with open_recording(Stream(b"% evt 2.0\n% geometry 640x480\n" + RECORDS)) as recording:
        assert recording.codec.name == "evt2"
        assert recording.about == {"evt": "2.0", "geometry": "640x480"}
        assert recording.declared == Sensor(640, 480)
        assert recording.events() == Events([5, 7], [1, 2], [3, 4], [0, 1], Sensor(640, 480))


def test_a_header_without_a_format_is_that_of_the_format_that_was_chosen():
    assert len(CODECS["evt2"].decode(b"% system_ID 21\n" + RECORDS)) == 2


def test_data_without_a_header_are_refused():
    assert refusal(RECORDS) == (
        f"a.raw: begins with {RECORDS[:8]!r} at byte 0, expected a header of lines such as '% evt 2.0'; name its "
        "format, or write that line in front of the data"
    )
    assert refusal(b"").startswith("a.raw: is empty; ")
    assert refusal(b"% evt 2.0\n").startswith("a.raw: holds no event; ")
    assert refusal(b"% evt 2.0").startswith("a.raw: begins with b'% evt 2.' at byte 0, ")


@pytest.mark.parametrize(("line", "codec", "got", "wanted"), [
    (b"% evt 2.1\n", "evt2", "EVT21", "EVT2"), (b"% evt 3.0\n", "evt2", "EVT3", "EVT2"),
    (b"% format EVT4;a=1\n", "evt3", "EVT4", "EVT3"), (b"% evt 2.0\n", "dat", "EVT2", "DAT"),
])
def test_another_encoding_is_refused(line, codec, got, wanted):
    assert refusal(line + RECORDS, codec) == (
        f"a.raw: has data of the format {got} by its header, expected {wanted}; name its format, or convert it to "
        f"{wanted}"
    )


@pytest.mark.parametrize("line", [b"% evt 2.0\n", b"% " + b"x" * 70000 + b"\n"])
def test_a_header_that_goes_on_and_on_is_refused(line):
    assert refusal(line * 7000) == (
        "a.raw: has a header that does not end within 65536 bytes, expected few lines '% key value' and then the data; "
        "copy or download it again"
    )

"""What a network that takes another sensor's events is answered with, and that following it helps."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventsim import Events, Sensor
from eventsim.data.applied import Transforms, parse_transform
from eventsim.sensor import mismatch

sizes = st.builds(Sensor, st.integers(1, 700), st.integers(1, 700), st.integers(1, 3))


@pytest.mark.parametrize(("found", "steps"), [
    (Sensor(240, 180), "pool:factor=5 --apply crop:x=7,y=1,width=34,height=34"),
    (Sensor(640, 480), "pool:factor=14 --apply crop:x=6,y=0,width=34,height=34"),
    (Sensor(68, 68), "pool:factor=2"), (Sensor(36, 34), "crop:x=1,y=0,width=34,height=34"),
])
def test_names_both_sensors_and_every_cure(found, steps):
    assert mismatch("a.raw:", found, Sensor(34, 34)) == (
        f"a.raw: is of a {found} sensor, the network takes events of a 34x34x2 sensor; take a network that starts with "
        f"{found} (train one by --arch, or name another model), or bring the events to this size with "
        f"`eventsim convert SRC DST --apply {steps}`"
    )


def test_a_sensor_that_nobody_said_is_at_least_what_an_event_needs():
    message = mismatch("a.csv:", Sensor(101, 1, 1), Sensor(34, 34), "event 3 has x = 100")
    assert message.startswith("a.csv: is of a 101x1x1 sensor or a larger one (event 3 has x = 100), the network takes")
    assert "take a network that starts with its sensor (" in message and "convert" not in message


@given(sizes, sizes)
def test_the_advised_transforms_give_the_wanted_sensor(found, wanted):
    _, *steps = mismatch("a", found, wanted).rstrip("`").split(" --apply ")
    possible = found.width >= wanted.width and found.height >= wanted.height and wanted.polarities in (
        1, found.polarities)
    if found != wanted:
        assert bool(steps) == possible
    if steps:
        corners = Events([0, 0], [0, found.width - 1], [0, found.height - 1], [0, found.polarities - 1], found)
        assert Transforms(map(parse_transform, steps))(corners).sensor == wanted

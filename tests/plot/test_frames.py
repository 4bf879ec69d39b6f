"""Frames: their pixels are the recording's events."""

import numpy as np
import pytest

from eventsim import Events, Sensor, plot
from eventsim.errors import ConfigError


@pytest.fixture
def events(rng):
    n = 600
    return Events(np.sort(rng.integers(5_000, 105_000, n)), rng.integers(0, 9, n), rng.integers(0, 5, n),
                  rng.integers(0, 2, n), Sensor(9, 5))


def images(figure):
    return [axis.images[0].get_array() for axis in figure.axes]


def test_every_event_leaves_ink_in_its_frame(events):
    figure = plot.frames(events, n=4, span=(0.0, 120.0))
    assert [axis.get_title() for axis in figure.axes] == ["0–30 ms", "30–60 ms", "60–90 ms", "90–120 ms"]
    for i, image in enumerate(images(figure)):
        assert image.shape == (5, 9, 3)
        inside = events[events.t // 30_000 == i]
        marked = np.zeros((5, 9), bool)
        marked[inside.y, inside.x] = True
        np.testing.assert_array_equal((image < 1.0).any(axis=-1), marked)


def test_on_is_blue_off_is_orange_and_both_are_dark():
    t, x = np.arange(4) * 1000, [0, 1, 2, 2]
    image, = images(plot.frames(Events(t, x, [0] * 4, [1, 0, 1, 0], Sensor(3, 2)), n=1))
    on, off, both = image[0]
    assert on[2] > on[0] and off[0] > off[2]
    np.testing.assert_allclose(both, on * off)
    np.testing.assert_array_equal(image[1], 1.0)


def test_ink_grows_with_events_up_to_what_the_legend_says():
    x = np.repeat(np.arange(4), [1, 2, 4, 4])
    events = Events(np.arange(11), x, np.zeros(11, int), np.ones(11, int), Sensor(4, 2))
    figure = plot.frames(events, n=1)
    red = images(figure)[0][0, :, 0]
    assert red[0] > red[1] > red[2] == red[3]
    np.testing.assert_allclose(1 - red[:2], (1 - red[2]) * np.array([0.25, 0.5]), atol=1e-6)
    said = [text.get_text() for text in figure.legends[0].get_texts()]
    assert said == ["ON, 11", "OFF, 0", "full ink: 4 events a pixel"]


def test_pixels_of_a_large_sensor_are_drawn_several_together(rng):
    n = 5000
    events = Events(np.sort(rng.integers(0, 9000, n)), rng.integers(0, 1280, n), rng.integers(0, 720, n),
                    rng.integers(0, 2, n), Sensor(1280, 720))
    figure = plot.frames(events, n=3, span=(0, 9))
    side = int(figure.legends[0].get_texts()[2].get_text().split(" in ")[1].split("x")[0])
    for i, image in enumerate(images(figure)):
        assert image.shape == (-(-720 // side), -(-1280 // side), 3) and side > 1
        inside = events[events.t // 3000 == i]
        marked = np.zeros(image.shape[:2], bool)
        marked[inside.y // side, inside.x // side] = True
        np.testing.assert_array_equal((image < 1.0).any(axis=-1), marked)


def test_the_whole_recording_is_drawn_by_default(events):
    figure = plot.frames(events)
    assert len(figure.axes) == 12
    texts = " ".join(text.get_text() for text in figure.legends[0].get_texts())
    assert f"ON, {int(events.p.sum())}" in texts and f"OFF, {int((1 - events.p.astype(int)).sum())}" in texts


def test_a_sensor_of_one_polarity_has_events():
    figure = plot.frames(Events([0, 1], [0, 1], [0, 1], [0, 0], Sensor(3, 2, 1)), n=1)
    assert figure.legends[0].get_texts()[0].get_text() == "events, 2"


def test_no_events_are_white_frames():
    for image in images(plot.frames(Events([], [], [], [], Sensor(3, 2)), n=2)):
        np.testing.assert_array_equal(image, 1.0)


@pytest.mark.parametrize(("change", "word"), [
    ({"n": 0}, "n must be a whole number"), ({"span": (5, 5)}, "span must be two times"), ({"span": 3}, "two times"),
    ({"events": "a.bin"}, "frames are those of Events"),
    ({"events": Events([0], [1], [0], [0], Sensor(9, 1, 1))}, "need a sensor with rows"),
])
def test_nonsense(events, change, word):
    arguments = {"events": events, **change}
    with pytest.raises(ConfigError, match=word):
        plot.frames(arguments.pop("events"), **arguments)

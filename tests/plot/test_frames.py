"""Frames: their pixels are the recording's events."""

import itertools

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


def extents(figure, artists):
    """Boxes of what is drawn, in pixels of the figure."""
    figure.draw_without_rendering()
    return [artist.get_window_extent() for artist in artists]


@pytest.mark.parametrize(("size", "n"), [
    ((34, 34), 1), ((34, 34), 5), ((34, 34), 100), ((320, 240), 4), ((320, 240), 60), ((1280, 720), 1),
    ((1280, 720), 100),
])
def test_titles_and_legend_have_room(rng, size, n):
    """However many frames: no title is cut or touches the next, and the legend lies within the page."""
    k, begin = 30_000, 913_716_224
    x, y = rng.integers(0, size[0], k), rng.integers(0, size[1], k)
    events = Events(begin + np.sort(rng.integers(0, 95_871, k)), x, y, rng.integers(0, 2, k), Sensor(*size))
    figure = plot.frames(events, n=n)
    boxes = extents(figure, [axis.title for axis in figure.axes])
    assert min(box.x0 for box in boxes) >= 0 and max(box.x1 for box in boxes) <= figure.bbox.x1
    assert all(a.x1 < b.x0 or a.y0 != b.y0 for a, b in itertools.pairwise(boxes))
    legend, = extents(figure, figure.legends)
    assert legend.x0 >= 0 and legend.x1 <= figure.bbox.x1 and legend.y0 >= 0
    titles = [axis.get_title() for axis in figure.axes]
    assert len(set(titles)) == n and min(axis.title.get_size() for axis in figure.axes) >= 5
    said = [text.get_text() for text in figure.legends[0].get_texts()]
    assert said[3:] == ([] if "–" in titles[0] else [f"{95.871 / n:.3g} ms a frame, from the ms above it"])


def test_no_frame_is_shorter_than_what_times_tell_apart():
    one = Events([85_063], [1], [1], [1], Sensor(3, 2))
    assert [axis.get_title() for axis in plot.frames(one).axes] == ["85.063–85.064 ms"]
    assert len(plot.frames(one, span=(85.062, 85.066)).axes) == 4


def test_a_span_beyond_the_events_is_refused(events):
    for span, where in (((0, 1), "after"), ((200, 300), "before")):
        with pytest.raises(ConfigError, match=f"holds nothing: all events of the recording are {where} it"):
            plot.frames(events, span=span)


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

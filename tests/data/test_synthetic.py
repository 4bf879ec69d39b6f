"""The synthetic event camera: seeded, sorted, and doing what its equations say."""

import dataclasses
import hashlib

import numpy as np
import pytest
from naive import camera as naive

from eventsim.data.synthetic import (
    CameraParameters,
    HandwritingParameters,
    Move,
    SaccadeParameters,
    SyntheticDigits,
    draw,
    images,
    record,
)
from eventsim.data.synthetic import camera as module
from eventsim.data.synthetic.dataset import REVISION
from eventsim.data.synthetic.glyphs import GLYPHS
from eventsim.errors import ConfigError
from eventsim.sensor import Sensor

STILL = SaccadeParameters(moves=(), duration=100.0, origin_spread=0, gain_spread=0, onset_spread=0, duration_spread=0)
QUIET = CameraParameters(leak=0.0, jitter=0.0)


def test_a_sample_depends_on_seed_and_index_alone():
    few, many = SyntheticDigits(5, seed=3), SyntheticDigits(20, seed=3)
    for i in (4, 0):
        assert few.events(i) == many.events(i)
        assert few.labels[i] == many.labels[i]
    assert SyntheticDigits(3, seed=3, first=4).events(0) == many.events(4)
    assert SyntheticDigits(5, seed=4).events(0) != many.events(0)
    assert few.fingerprint() != SyntheticDigits(5, seed=4).fingerprint()


def test_a_subset_keeps_its_samples():
    data = SyntheticDigits(12, seed=3)
    part = data.subset([7, 2])
    assert part.events(0) == data.events(7)
    assert part.labels.tolist() == data.labels[[7, 2]].tolist()
    assert [part.sample_name(i) for i in range(2)] == [data.sample_name(i) for i in (7, 2)]


def test_other_samples_have_another_revision():
    """Whoever changes what the samples are made of raises REVISION, and puts the new digest here."""
    made_of = repr((GLYPHS, HandwritingParameters(), SaccadeParameters(), CameraParameters()))
    assert (REVISION, hashlib.sha256(made_of.encode()).hexdigest()[:16]) == (1, "00edc5660a1988fd")
    made_of = repr((SaccadeParameters(), CameraParameters()))
    assert (images.REVISION, hashlib.sha256(made_of.encode()).hexdigest()[:16]) == (1, "157e76a1633d649e")


def test_digits_are_balanced():
    labels = SyntheticDigits(200, seed=1).labels
    assert np.bincount(labels, minlength=10).tolist() == [20] * 10
    assert labels[:20].tolist() != sorted(labels[:20])


def test_recordings_look_like_n_mnist():
    data = SyntheticDigits(20, seed=5)
    for i in range(20):
        events = data.events(i)  # its own checks: sorted, on the sensor
        assert 500 < len(events) < 10_000
        assert events.t[0] >= 0
        assert 280 < events.duration < 340
        assert 0.3 < events.p.mean() < 0.7


def test_images_are_ink_on_paper(rng):
    for digit in range(10):
        image = draw(digit, rng, HandwritingParameters())
        assert image.shape == (28, 28)
        assert image.min() == 0
        assert 0.8 < image.max() <= 1
        assert 0.03 < image.mean() < 0.5


def test_saccades_go_down_then_up_and_right_then_back_to_the_start(rng):
    path = SaccadeParameters(origin_spread=0, gain_spread=0, onset_spread=0).path(1.0, rng)
    down, up, back = path[100] - path[0], path[215] - path[100], path[-1] - path[215]
    assert down[1] > 5 and 0 < down[0] < 3
    assert up[1] < -5 and up[0] > 2
    assert back[0] < -5 and abs(back[1]) < 0.5
    assert np.abs(path[-1] - path[0]).max() < 0.5


def test_kernel_equals_the_naive_pixel(rng):
    width, height, steps = 4, 3, 60
    scene = rng.normal(0, 0.4, (10, 11))
    row, column = rng.integers(0, 5, steps + 1), rng.integers(0, 5, steps + 1)
    down, right = rng.random((2, steps + 1))
    threshold = rng.uniform(0.08, 0.3, (2, 12))
    refractory, phase = rng.uniform(200, 3000, 12), rng.uniform(-0.1, 0.1, 12)
    t, x, y, p = module._run(scene=scene, row=row, column=column, down=down, right=right, width=width, height=height,
                             step=1000.0, follow=0.7, leak=0.004, threshold=threshold, refractory=refractory,
                             phase=phase)
    assert len(t) > 100
    for pixel in range(12):
        seen = naive.seen_by(scene, row, column, down, right, pixel % width, pixel // width)
        wanted = naive.pixel_events(seen, 1000.0, 0.7, 0.004, *threshold[:, pixel], refractory[pixel], phase[pixel])
        mine = (x == pixel % width) & (y == pixel // width)
        np.testing.assert_array_equal(p[mine], [polarity for _, polarity in wanted])
        np.testing.assert_allclose(t[mine], [time for time, _ in wanted], rtol=0, atol=1e-6)


def test_event_columns_grow_without_losing_events(monkeypatch):
    data = SyntheticDigits(1, seed=2)
    whole = data.events(0)
    monkeypatch.setattr(module, "_FIRST_GUESS", 5)
    assert data.events(0) == whole


def test_nothing_moves_nothing_fires(rng):
    assert len(record(rng.random((28, 28)), STILL, rng, QUIET)) == 0


def test_leak_is_background_activity_of_on_events(rng):
    events = record(np.ones((28, 28)), STILL, rng, CameraParameters(leak=50.0, jitter=0.0))
    assert events.p.all()
    assert 0.7 * 1156 * 5 < len(events) < 1.3 * 1156 * 5


def test_a_dark_edge_that_comes_is_off_and_one_that_goes_is_on(rng):
    image = np.ones((28, 28))
    image[:, :14] = 0.0  # dark on the left
    for distance, polarity in ((8.0, 0), (-8.0, 1)):
        moves = SaccadeParameters(moves=(Move(0, distance, 10.0, 80.0),), origin=(0.0, 0.0), origin_spread=0,
                                  gain_spread=0, onset_spread=0, duration_spread=0)
        events = record(image, moves, rng, QUIET)
        inner = (events.y > 8) & (events.y < 25)
        assert inner.sum() > 100
        assert (events.p[inner] == polarity).mean() > 0.99


@pytest.mark.parametrize("parameters", [CameraParameters(), SaccadeParameters(), HandwritingParameters(),
                                        Move(0, 1.0, 0.0, 1.0)])
def test_every_number_is_checked(parameters):
    for field in dataclasses.fields(parameters):
        if field.name in ("sensor", "moves", "origin"):
            continue
        for value in (np.nan, np.inf, "1", None, True):
            with pytest.raises(ConfigError, match=field.name):
                dataclasses.replace(parameters, **{field.name: value})


@pytest.mark.parametrize("make", [
    lambda: CameraParameters(threshold_on=0), lambda: CameraParameters(refractory=-1),
    lambda: CameraParameters(black=2),
    lambda: CameraParameters(step="1"), lambda: CameraParameters(sensor=Sensor(8, 8, 1)),
    lambda: SaccadeParameters(duration=0), lambda: SaccadeParameters(moves=(Move(2, 1.0, 0.0, 1.0),)),
    lambda: SaccadeParameters(moves=[Move(0, 1.0, 0.0, 1.0)]), lambda: SaccadeParameters(moves=((0, 1.0, 0.0, 1.0),)),
    lambda: SaccadeParameters(origin=(0.0,)), lambda: SaccadeParameters(origin=0.0),
    lambda: SaccadeParameters(origin=(0.0, np.nan)),
    lambda: Move(0, 1.0, 0.0, 0.0), lambda: HandwritingParameters(pen=0), lambda: HandwritingParameters(pen_spread=-1),
    lambda: draw(10, np.random.default_rng(0), HandwritingParameters()),
    lambda: SyntheticDigits(0), lambda: SyntheticDigits(1.5), lambda: SyntheticDigits(1, seed=-1),
    lambda: SyntheticDigits(3).events(3),
    lambda: record(np.full((3, 3), 2.0), STILL, np.random.default_rng(0), QUIET),
    lambda: record(np.zeros(3), STILL, np.random.default_rng(0), QUIET),
])
def test_nonsense_is_refused(make):
    with pytest.raises(ConfigError):
        make()

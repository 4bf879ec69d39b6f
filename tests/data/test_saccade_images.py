"""Images before the synthetic camera: seeded, named, and like the real recordings of the same images."""

import dataclasses

import numpy as np
import pytest
from idx_files import write_images

from eventsim.data import open_dataset
from eventsim.data.datasets.idx import read_images
from eventsim.data.synthetic import CameraParameters, SaccadeImages, SaccadeParameters, open_images, record
from eventsim.errors import ConfigError, FormatError

IMAGES = np.zeros((4, 28, 28), np.uint8)
IMAGES[:, 8:20, 12:16] = np.array([40, 120, 200, 255], np.uint8)[:, None, None]
LABELS = [1, 7, 0, 9]
SACCADES = (0, 100_000, 215_000, 400_000)  # us


def test_a_sample_is_the_image_s_recording():
    data = SaccadeImages(IMAGES, LABELS, seed=5)
    events = data.events(2)
    wanted = record(1.0 - IMAGES[2] / 255.0, SaccadeParameters(), np.random.default_rng([3, 5, 2]), CameraParameters())
    assert events == wanted and len(events) > 500
    assert data.labels.tolist() == LABELS and data.sensor.width == 34 and data.duration == 300.0
    assert len(data.events(0)) < len(data.events(3))  # a faint line, and one of ink


def test_a_sample_depends_on_seed_split_and_index_alone():
    data = SaccadeImages(IMAGES, LABELS, seed=5)
    assert SaccadeImages(IMAGES[:3], LABELS[:3], seed=5).events(2) == data.events(2)
    others = [SaccadeImages(IMAGES, LABELS, seed=6), SaccadeImages(IMAGES, LABELS, seed=5, split="validation"),
              SaccadeImages(IMAGES[::-1].copy(), LABELS, seed=5)]
    for other in others:
        assert other.events(2) != data.events(2)
        assert other.fingerprint() != data.fingerprint()
    assert SaccadeImages(IMAGES, LABELS, seed=5).fingerprint() == data.fingerprint()


@pytest.mark.parametrize("images, labels, settings, word", [
    (IMAGES / 255, LABELS, {}, "must be uint8 with three axes .* got float64 with 3"),
    (IMAGES[0], [1], {}, "got uint8 with 2"),
    (np.zeros((1, 35, 28), np.uint8), [1], {}, "images of 28x35 pixels do not fit the sensor of 34x34"),
    (np.zeros((1, 0, 28), np.uint8), [1], {}, "images of 28x0"),
    (IMAGES, LABELS[:3], {}, "there are 4 images and 3 labels"),
    (IMAGES, [1, 2, 3, 10], {}, "labels must lie in 0..9"),
    (IMAGES, LABELS, {"split": "test"}, "split must be train or validation"),
    (IMAGES, LABELS, {"seed": -1}, "seed must be"),
], ids=range(8))
def test_what_makes_no_recordings_is_refused(images, labels, settings, word):
    with pytest.raises(ConfigError, match=word):
        SaccadeImages(images, labels, **settings)


def test_a_folder_becomes_splits(tmp_path):
    write_images(tmp_path, IMAGES, LABELS)
    splits = open_images(tmp_path, seed=1, train=3)
    assert splits.validation is None and splits.train.labels.tolist() == LABELS[:3]
    write_images(tmp_path, IMAGES[:2], LABELS[:2], "t10k", compressed=True)
    splits = open_images(tmp_path, seed=1)
    assert (len(splits.train), len(splits.validation)) == (4, 2)
    assert splits.validation.events(0) != splits.train.events(0)
    with pytest.raises(FormatError, match="has 2 images for validation, not 3; ask for fewer"):
        open_images(tmp_path, validation=3)
    write_images(tmp_path, IMAGES, [1, 2, 30, 4])
    with pytest.raises(FormatError, match=r"label 30 of image 2 for train is none of 0\.\.9"):
        open_images(tmp_path)
    for path in tmp_path.glob("train-*"):
        path.unlink()
    with pytest.raises(FormatError, match="has no train-images-idx3-ubyte"):
        open_images(tmp_path)


def maps(events):
    """Events of every saccade, polarity and pixel, float64[3,2,34,34]."""
    saccade = np.digitize(events.t, SACCADES) - 1
    out = np.zeros((3, 2, 34, 34))
    np.add.at(out, (saccade, events.p, events.y, events.x), 1)
    return out


def correlation(a, b):
    """Of each map of n samples, the mean over the samples; float64[3,2]."""
    a, b = (x - x.mean(axis=(3, 4), keepdims=True) for x in (a, b))
    product = (a * b).sum(axis=(3, 4)) / np.sqrt((a**2).sum(axis=(3, 4)) * (b**2).sum(axis=(3, 4)))
    return product.mean(axis=0)


def test_recordings_are_like_the_real_ones_of_the_same_images(shared):
    """In every saccade and polarity events lie where N-MNIST's lie, to less than a pixel, and are as many."""
    real = open_dataset(shared / "data" / "nmnist_raw").train
    chosen = np.random.default_rng(0).permutation(len(real))[:100].tolist()
    images, labels = read_images(shared / "data" / "mnist", "train")
    made = SaccadeImages(images, labels)
    numbers = [int(real.sample_name(i).rpartition("/")[2].removesuffix(".bin")) - 1 for i in chosen]
    assert labels[numbers].tolist() == real.labels[chosen].tolist()
    theirs, ours = (np.array([maps(data.events(i)) for i in indices])
                    for data, indices in ((real, chosen), (made, numbers)))
    there = correlation(theirs, ours)
    assert there.min() > 0.85
    for shift in ((0, 1), (1, 0), (0, -1), (-1, 0)):
        assert np.all(correlation(theirs, np.roll(ours, shift, (3, 4))) < there - 0.02)
    assert np.all(correlation(theirs, ours[:, :, ::-1]) < 0.5)
    totals = theirs.sum(axis=(0, 3, 4)) / ours.sum(axis=(0, 3, 4))
    assert totals.min() > 0.8 and totals.max() < 1.2
    counts = [x.sum(axis=(1, 2, 3, 4)) for x in (theirs, ours)]
    assert np.corrcoef(counts)[0, 1] > 0.95


def test_parameters_of_others_are_taken():
    still = dataclasses.replace(SaccadeParameters(), moves=())
    data = SaccadeImages(IMAGES, LABELS, saccades=still, camera=CameraParameters(leak=0.0))
    assert len(data.events(3)) == 0

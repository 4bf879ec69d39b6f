"""What holds of every data set: subsets, fingerprints, what is and what is held out."""

import numpy as np
import pytest

from eventsim.data import Dataset, open_dataset, write
from eventsim.data.datasets.base import stratified_tenth
from eventsim.errors import ConfigError, FormatError
from eventsim.sensor import Sensor

SPLITS = {"Train": {0: range(1, 21), 3: [7, 100, 20], 9: [5]}, "Test": {3: [1, 2], 9: [4]}}


def test_subsets_keep_order_and_repeats(tree):
    train = open_dataset(tree(SPLITS)).train
    part = train.subset([23, 20, 20]).subset([1, 0, 2])
    assert part.labels.tolist() == [3, 9, 3]
    assert [part.sample_name(i) for i in range(3)] == [train.sample_name(i) for i in (20, 23, 20)]
    assert part.events(1) == train.events(23)
    assert part.sample_size(0) == 1000
    assert (part.duration, part.sensor, part.n_classes) == (300.0, train.sensor, 10)
    assert len(train.subset([])) == 0


def test_the_fingerprint_tells_samples_and_sizes_apart(tree):
    folder = tree(SPLITS)
    train = open_dataset(folder).train
    prints = {train.fingerprint(), train.subset([1, 0]).fingerprint(), train.subset([0, 1]).fingerprint()}
    assert train.subset(range(24)).fingerprint() == train.fingerprint()
    with open(folder / "Train/3/00007.bin", "ab") as file:
        file.write(bytes(5))
    prints.add(train.fingerprint())
    assert len(prints) == 4


def test_a_held_out_tenth_is_a_tenth_of_every_class():
    labels = np.repeat([0, 1, 2], [100, 14, 1])
    kept, held_out = stratified_tenth(labels, seed=0)
    assert np.bincount(labels[held_out], minlength=3).tolist() == [10, 1, 0]
    assert np.array_equal(np.sort(np.concatenate((kept, held_out))), np.arange(115))


def test_synthetic_digits_never_share_samples_between_training_and_validation(monkeypatch):
    made = []

    class Digits(Dataset):
        def __init__(self, n, seed=0):
            made.append((n, seed))
            super().__init__(name="synthetic", sensor=Sensor(34, 34), n_classes=10, labels=np.zeros(n, int))

    import eventsim.data.synthetic as synthetic

    monkeypatch.setattr(synthetic, "SyntheticDigits", Digits, raising=False)
    splits = open_dataset("synthetic", train=30, validation=10)
    assert (len(splits.train), len(splits.validation)) == (30, 10)
    open_dataset("synthetic", seed=1)
    assert made == [(30, 0), (10, 1), (2000, 2), (500, 3)]
    with pytest.raises(ConfigError, match="train must be a whole number"):
        open_dataset("synthetic", train=0)


def test_nonsense_is_refused(tree):
    folder = tree(SPLITS)
    for path in (None, 3, [], "a\0b"):
        with pytest.raises(ConfigError, match="expected a path"):
            open_dataset(path)
    for seed in (-1, 1.5, "x", None):
        with pytest.raises(ConfigError, match="seed must be a whole number"):
            open_dataset(folder, seed=seed)
    with pytest.raises(ConfigError, match="sizes"):
        open_dataset(folder, train=10)
    train = open_dataset(folder).train
    for i in (-1, 24, 1.0, "0", None, True):
        for method in (train.events, train.sample_name, train.sample_size, train.subset(range(24)).events):
            with pytest.raises(ConfigError, match=r"sample must be a whole number from 0 to 23"):
                method(i)
    for indices in ([24], [-1], [0.5], [[1]], "ab", None, [[1], [1, 2]]):
        with pytest.raises(ConfigError, match="indices must"):
            train.subset(indices)
    with pytest.raises(ConfigError, match="has no samples"):
        train.subset([]).events(0)


def test_a_data_set_of_ones_own_is_checked():
    good = {"name": "mine", "sensor": Sensor(3, 3), "n_classes": 2, "labels": [0, 1]}
    assert len(Dataset(**good)) == 2
    for wrong in ({"sensor": "3x3"}, {"n_classes": 0}, {"labels": [0, 2]}, {"labels": [0.5]}, {"duration": -1}):
        with pytest.raises(ConfigError, match=f"{next(iter(wrong))} must"):
            Dataset(**{**good, **wrong})
    with pytest.raises(NotImplementedError):
        Dataset(**good).events(0)


@pytest.mark.parametrize(("name", "title"), [
    ("a.bin", "N-MNIST"), ("a.npz", "NumPy arrays in a zip"), ("a.es", "Event Stream"),
])
def test_a_recording_is_no_data_set(tmp_path, recording, name, title):
    write(tmp_path / name, recording(1))
    with pytest.raises(FormatError) as refused:
        open_dataset(tmp_path / name)
    assert str(refused.value) == (
        f"{tmp_path / name}: is one recording ({title}), expected a data set, which is a folder with one for every "
        "class, a zip, or an event store; name that, or read the recording with eventsim.read"
    )


def test_counts_of_one_have_a_singular(tree):
    splits = open_dataset(tree({"Train": {0: [1]}, "Test": {3: [1]}}))
    assert splits.note == "validation is Test (1 sample)"
    assert repr(splits.train) == "NMNIST(nmnist: 1 sample, 10 classes, 34x34x2)"

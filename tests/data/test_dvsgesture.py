"""DVS128 Gesture: samples are windows of recordings, as their tables say."""

import shutil

import h5py
import numpy as np
import pytest

from eventsim.data import open_dataset
from eventsim.errors import FormatError


@pytest.fixture
def folder(shared, tmp_path):
    """A copy of the three small recordings, with their tables."""
    return shutil.copytree(shared / "data/aer/dvs_gesture_aedat31", tmp_path / "gestures")


def test_gestures_are_those_of_the_published_windows(folder):
    """Windows without events were left out of what is published."""
    (folder / "trials_to_train.txt").write_text("\n".join(sorted(path.name for path in folder.glob("*.aedat"))))
    train = open_dataset(folder, seed=1).part("all")
    found = {}
    for i in range(len(train)):
        events, start = train.events(i), int(train.sample_name(i).partition("@")[2])
        if len(events):
            found[start] = (int(train.labels[i]) + 1, (events.t + start).tolist(),
                            np.stack([events.x, events.y, events.p], axis=1).tolist())
    with h5py.File(folder / "dvs_gestures_unittest.hdf5") as file:
        wanted = [(int(group["label"][()]), group["time"][:].tolist(), group["pos"][:].tolist())
                  for group in file["unit_test"].values()]
    assert sorted(found.values()) == sorted(wanted) and len(train) == 9
    assert str(train.sensor) == "128x128x2" and train.n_classes == 11


def test_lists_say_what_is_trained_on(folder):
    (folder / "trials_to_train.txt").write_text("aedat1_for_testing.aedat\naedat2_led.aedat\n")
    (folder / "trials_to_test.txt").write_text("aedat3_fluorescent.aedat\n\n")
    splits = open_dataset(folder)
    assert splits.train.labels.tolist() == [0, 4, 10, 1, 2, 7, 6] and len(splits.validation) >= 2
    assert splits.train.events(0).t[0] >= 0 and splits.train.sample_name(0) == "aedat1_for_testing.aedat@24"
    (folder / "trials_to_test.txt").write_text("user30_led.aedat\n")
    with pytest.raises(FormatError, match=r"trials_to_test\.txt: names user30_led\.aedat, which is not there"):
        open_dataset(folder)


def test_without_lists_the_last_users_are_tested_on(folder):
    for old, new in (("aedat1_for_testing", "user23_led"), ("aedat2_led", "user24_led")):
        for end in (".aedat", "_labels.csv"):
            (folder / (old + end)).rename(folder / (new + end))
    splits = open_dataset(folder)
    assert {splits.validation.sample_name(i).partition("@")[0] for i in range(len(splits.validation))} == {
        "user24_led.aedat"}
    assert "users from 24 on" in splits.note


@pytest.mark.parametrize(("text", "sentence"), [
    ("", "begins with ''"), ("a,b,c\n1,2,3\n", "begins with 'a,b,c', expected class,startTime_usec"),
    ("class,startTime_usec,endTime_usec\n12,1,2\n", "line 2 is '12,1,2', expected a class of 1 to 11"),
    ("class,startTime_usec,endTime_usec\n1,5,2\n", "line 2 is '1,5,2'"),
    ("class,startTime_usec,endTime_usec\n\n1,x,2\n", "line 3 is '1,x,2'"),
])
def test_a_table_that_is_none_is_refused(folder, text, sentence):
    (folder / "aedat2_led_labels.csv").write_text(text)
    with pytest.raises(FormatError, match=f"aedat2_led_labels[.]csv: {sentence}"):
        open_dataset(folder)

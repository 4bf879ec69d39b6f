"""`eventsim generate`: one recording, or a data set in N-MNIST's layout."""

import os
import pathlib

import numpy as np
import pytest
from click.testing import CliRunner
from idx_files import write_images

import eventsim
from eventsim import kernels
from eventsim.cli import main
from eventsim.data import synthetic

pytestmark = pytest.mark.skipif(not hasattr(synthetic, "SyntheticDigits"), reason="there are no synthetic digits")


@pytest.mark.parametrize("digit", [0, 7])
def test_recording_of_a_digit(call, digit):
    text = call("generate", "sample.bin", "--digit", digit, "--seed", 3)
    events = eventsim.read("sample.bin")
    assert len(events) > 100 and f"sample.bin: digit {digit}, {len(events):,} events" in text
    assert text.endswith("\n  eventsim simulate sample.bin\n")


def test_text_recording(call):
    call("generate", "sample.bin")
    assert "\n  eventsim simulate sample.csv --sensor 34x34x2" in call("generate", "sample.csv")
    assert call("generate", "sample.h5").endswith("\n  eventsim simulate sample.h5\n")
    assert eventsim.read("sample.csv", sensor=eventsim.Sensor(34, 34)) == eventsim.read("sample.bin")


def test_same_seed_same_bytes_and_other_index_others(call, here):
    for name, options in {"a": [], "b": [], "c": ["--index", 1], "d": ["--seed", 1]}.items():
        call("generate", f"{name}.bin", *options)
    a, b, c, d = ((here / f"{name}.bin").read_bytes() for name in "abcd")
    assert a == b and a != c and a != d


def test_recording_json(call):
    figures = call("generate", "sample.bin", "--digit", 4, "--json")
    events = eventsim.read("sample.bin")
    assert figures == {"file": "sample.bin", "digit": 4, "events": len(events), "duration_ms": events.duration}


def test_data_set_is_the_synthetic_one(call):
    call("generate", "digits", "--samples", 20, "--validation", 10, "--seed", 2)
    written = eventsim.open_dataset("digits")
    drawn = eventsim.open_dataset("synthetic", seed=2, train=20, validation=10)
    for name in ("train", "validation"):
        theirs = [getattr(splits, name) for splits in (written, drawn)]
        assert sorted(theirs[0].labels) == sorted(theirs[1].labels)
        bytes_of = [sorted(part.events(i).t.tobytes() for i in range(len(part))) for part in theirs]
        assert bytes_of[0] == bytes_of[1]


def test_data_set_without_validation(call):
    figures = call("generate", "digits", "--samples", 12, "--json")
    assert figures["train"] == 12 and figures["validation"] == 0 and os.listdir("digits") == ["Train"]


@pytest.fixture
def mnist(here):
    """A folder of five images to train on and two to test on."""
    images = np.zeros((5, 28, 28), np.uint8)
    images[:, 6:22, 11:16] = 255
    write_images(here / "mnist", images, [3, 1, 4, 1, 5])
    return write_images(here / "mnist", images[:2], [9, 2], "t10k", compressed=True).name


def test_images_become_recordings_with_n_mnist_s_numbers(call, mnist):
    text = call("generate", "made", "--images", mnist, "--seed", 2)
    assert "made: 5 recordings under Train and 2 under Test, " in text and "  eventsim info made" in text
    found = sorted(path.as_posix() for path in pathlib.Path("made").rglob("*.bin"))
    assert found == ["made/Test/2/00002.bin", "made/Test/9/00001.bin", "made/Train/1/00002.bin",
                     "made/Train/1/00004.bin", "made/Train/3/00001.bin", "made/Train/4/00003.bin",
                     "made/Train/5/00005.bin"]
    made = synthetic.open_images(mnist, seed=2)
    assert eventsim.read("made/Train/4/00003.bin") == made.train.events(2)
    assert eventsim.read("made/Test/9/00001.bin") == made.validation.events(0)


def test_neither_threads_nor_the_number_of_samples_change_a_byte(call, mnist):
    call("generate", "one", "--images", mnist, "--threads", 1)
    figures = call("generate", "three", "--images", mnist, "--threads", 3, "--samples", 4, "--validation", 1, "--json")
    kernels.set_threads(None)
    assert (figures["folder"], figures["train"], figures["validation"]) == ("three", 4, 1)
    found = list(pathlib.Path("three").rglob("*.bin"))
    assert len(found) == 5
    for path in found:
        assert path.read_bytes() == ("one" / path.relative_to("three")).read_bytes()


def test_an_interruption_leaves_whole_recordings_only(call, mnist, monkeypatch):
    events = synthetic.SaccadeImages.events

    def stop(self, i):
        if i == 3:
            raise KeyboardInterrupt
        return events(self, i)

    with monkeypatch.context() as patch:
        patch.setattr(synthetic.SaccadeImages, "events", stop)
        result = CliRunner().invoke(main, ["generate", "made", "--images", mnist, "--threads", "1"])
    kernels.set_threads(None)
    assert result.exit_code != 0 and "interrupted" in result.stderr
    found = list(pathlib.Path("made").rglob("*.*"))
    assert 3 <= len(found) < 7 and all(len(eventsim.read(path)) for path in found)
    assert pathlib.Path("made/Train/1/00004.bin") not in found
    assert call("generate", "made", "--images", mnist, "--force", "--json")["train"] == 5
    assert len(list(pathlib.Path("made").rglob("*.bin"))) == 7


class TestRefused:
    def test_existing_file(self, call, refuse, here):
        (here / "sample.bin").write_text("mine")
        assert "sample.bin: exists already" in refuse("generate", "sample.bin")
        assert (here / "sample.bin").read_text() == "mine"
        call("generate", "sample.bin", "--force")

    def test_existing_folder(self, call, refuse, here):
        (here / "digits").mkdir()
        (here / "digits" / "note").write_text("mine")
        assert "is not an empty folder" in refuse("generate", "digits", "--samples", 3)
        call("generate", "digits", "--samples", 3, "--force")
        assert (here / "digits" / "note").read_text() == "mine"

    @pytest.mark.parametrize(("arguments", "part"), [
        (["digits"], "--samples"),
        (["sample.bin", "--samples", "3"], "name a folder"),
        (["digits", "--samples", "3", "--digit", "3"], "name a .bin file"),
        (["sample.bin", "--digit", "10"], "0<=x<=9"),
        (["nowhere/sample.bin"], "cannot be written"),
        (["digits", "--samples", "0"], "`eventsim generate --help`"),
        (["sample.bin", "--images", "mnist"], "name a folder"),
        (["digits", "--images", "nowhere"], "nowhere: no such file or folder"),
        (["digits"], "--samples or --images"),
    ])
    def test_nonsense(self, refuse, arguments, part):
        assert part in refuse("generate", *arguments)

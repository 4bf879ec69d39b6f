"""`eventsim generate`: one recording, or a data set in N-MNIST's layout."""

import os

import pytest

import eventsim
from eventsim.data import synthetic

pytestmark = pytest.mark.skipif(not hasattr(synthetic, "SyntheticDigits"), reason="there are no synthetic digits")


@pytest.mark.parametrize("digit", [0, 7])
def test_recording_of_a_digit(call, digit):
    text = call("generate", "sample.bin", "--digit", digit, "--seed", 3)
    events = eventsim.read("sample.bin")
    assert len(events) > 100 and f"sample.bin: digit {digit}, {len(events):,} events" in text
    assert "\n  eventsim simulate sample.bin" in text and "eventsim train --arch mlp512" in text


def test_text_recording(call):
    call("generate", "sample.bin")
    assert "\n  eventsim simulate sample.csv --sensor 34x34x2" in call("generate", "sample.csv")
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
    ])
    def test_nonsense(self, refuse, arguments, part):
        assert part in refuse("generate", *arguments)

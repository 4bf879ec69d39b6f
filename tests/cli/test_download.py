"""`eventsim download`: the list, and what it says of what it fetched."""

import hashlib

from eventsim.data import download


def test_lists_what_there_is(call):
    text = call("download")
    for name, source in download.SOURCES.items():
        assert name in text and source.title in text
    assert call("download", "--json")["nmnist"]["files"] == ["Train.zip", "Test.zip"]


def test_fetches_into_a_folder(call, here, monkeypatch):
    data = b"recordings"
    (here / "Train.zip").write_bytes(data)
    one = download.Item("Train.zip", ((here / "Train.zip").as_uri(),), f"sha256:{hashlib.sha256(data).hexdigest()}")
    monkeypatch.setitem(download.SOURCES, "nmnist", download.Source("N-MNIST", "free", "https://page", (one,)))
    text = call("download", "nmnist")
    assert (here / "nmnist" / "Train.zip").read_bytes() == data
    assert "Licence    free (https://page)" in text and "\n  eventsim info nmnist/\n" in text
    assert call("download", "nmnist", "--json")["files"] == ["nmnist/Train.zip"]


def test_what_cannot_be_fetched(refuse):
    assert "data set must be nmnist or shd or" in refuse("download", "mnist")
    assert "cannot be fetched by a program; get it from https://ibm" in refuse("download", "dvsgesture")

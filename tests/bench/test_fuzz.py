"""The laws of codecs hold of their seeds and of simple damage, and are broken by what they are there to find."""

import fuzz_guided
import fuzz_laws
import pytest
from mutations import mutated

from eventsim.data.codecs import base, evt3, nmnist


@pytest.mark.parametrize("name", fuzz_guided.CODECS)
def test_the_laws_hold_of_damaged_recordings(name, rng):
    found = list(fuzz_laws.seeds(name))
    assert isinstance(fuzz_laws.decoded(fuzz_laws.CODECS[name], found[0]), fuzz_laws.Events)
    for data in [b"", *found]:
        fuzz_laws.check(name, data)
        for damaged in mutated(rng, data[:300], 20, 60):
            fuzz_laws.check(name, damaged)


def test_an_event_that_is_lost_breaks_a_law(monkeypatch):
    def lossy(self):
        for t, x, y, p in blocks(self):
            yield t[1:], x[1:], y[1:], p[1:]

    blocks = nmnist.NMNISTReader.blocks
    monkeypatch.setattr(nmnist.NMNISTReader, "blocks", lossy)
    with pytest.raises(AssertionError):
        fuzz_laws.check("nmnist", next(fuzz_laws.seeds("nmnist")))


def test_a_state_that_ends_with_a_block_breaks_a_law(monkeypatch):
    decode = evt3.EVT3Reader._decode
    monkeypatch.setattr(evt3.EVT3Reader, "_decode", lambda self, words, state: decode(self, words, state.copy()))
    with pytest.raises(AssertionError):
        fuzz_laws.check("evt3", next(fuzz_laws.seeds("evt3")))


def test_a_refusal_that_names_nothing_breaks_a_law(monkeypatch):
    monkeypatch.setattr(base.RecordReader, "records", lambda self: (_ for _ in ()).throw(base.FormatError("no")))
    with pytest.raises(AssertionError):
        fuzz_laws.check("bs3", b"1234567")


def test_what_was_found_is_read_again_by_compiled_kernels(tmp_path):
    folder = tmp_path / "nmnist"
    fuzz_guided.sow("nmnist", folder)
    (folder / "cut").write_bytes(bytes(7))
    assert fuzz_guided.compare("nmnist", folder) == ([], 2)


def test_blocks_are_what_they_were_afterwards():
    before = base.BLOCK
    with pytest.raises(KeyError), fuzz_laws.blocks_of(1, 1):
        assert base.BLOCK == 1
        raise KeyError
    assert before == base.BLOCK

"""NIR files on the command line: `export`, and wherever a model goes."""

import json

import nir
import numpy as np
import pytest
from click.testing import CliRunner
from nir_graphs import chain, lif, linear

import eventsim as es
from eventsim.cli import main
from eventsim.model import LIF


@pytest.fixture
def net(here):
    """A file that says no unit of time, with tau of 20 ms in s."""
    nir.write("net.nir", chain((2, 34, 34), nir.Flatten(np.array([2, 34, 34]), 0, -1), linear(20, 2312),
                               lif(20, theta=5.0), linear(10, 20, bias=0.1), lif(10)))
    return "net.nir"


@pytest.fixture
def notes():
    """Run a command that succeeds; gives its stderr."""

    def run(*arguments):
        result = CliRunner().invoke(main, [str(a) for a in arguments], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.stderr

    return run


@pytest.mark.parametrize("words", [
    ("simulate", "FILE", "--model", "NET", "--json"), ("profile", "FILE", "--model", "NET", "--json"),
    ("info", "NET", "--json"), ("evaluate", "NET", "--data", "DATA", "--json"),
    ("profile", "DATA", "--model", "NET", "--samples", 3, "--json"),
])
def test_a_model_may_be_a_nir_file(call, refuse, net, recording, tree, words):
    words = [{"FILE": recording, "NET": net, "DATA": tree}.get(word, word) for word in words]
    answer = refuse(*words)
    assert answer.startswith("net.nir: node '2' (LIF) has a tau of 0.02 and the file does not say in what unit")
    found = call(*words, "--nir-time-unit", "s")
    assert found.get("arch", "34x34x2-20-10") == "34x34x2-20-10"


def test_simulation_is_that_of_the_library(call, net, recording):
    from eventsim.exchange.nir import Reading, read

    found = call("simulate", recording, "--model", net, "--nir-time-unit", "s", "--nir-dt", "0.5ms", "--json")
    network = read(net, Reading(time_unit=1000.0, dt=0.5)).network
    trace = network.simulate(es.read(str(recording)))
    assert [layer["spikes"] for layer in found["layers"]] == [len(one.spikes) for one in trace.layers]
    assert sum(layer["spikes"] for layer in found["layers"]) > 100


def test_what_was_read_may_be_saved_and_is_the_same(call, net, recording):
    from eventsim.exchange.nir import Reading, read

    es.save("saved.h5", read(net, Reading(time_unit=1000.0)).network)
    spikes = [[layer["spikes"] for layer in call("simulate", recording, "--model", *words, "--json")["layers"]]
              for words in (("saved.h5",), (net, "--nir-time-unit", "s"))]
    assert spikes[0] == spikes[1]
    assert "Neuron 2" in call("info", "saved.h5")


def test_export_and_back(call, run, recording, notes, here):
    text = notes("export", run, "out.nir", "--sample", recording)
    assert "Note: NIR has no alpha kernels: dense1, dense2 became the nearest CubaLIF" in text
    assert f"spikes on {recording}, of the network and of the file as others read it: dense1 " in text
    whole = (here / "out.nir").read_bytes()
    found = call("export", run, "again.nir", "--sample", recording, "--json")
    assert (here / "again.nir").read_bytes() == whole
    assert [one["layer"] for one in found["difference"]] == ["dense1", "dense2"] and found["nodes"] == 7
    ours, theirs = (call("simulate", recording, "--model", model, "--json")["layers"] for model in (run, "out.nir"))
    assert ours[0]["spikes"] == found["difference"][0]["spikes"]
    assert theirs[0]["spikes"] == found["difference"][0]["exported"]


def test_continuous_time_is_measured_as_it_was_run(call, notes, recording):
    es.save("exact.h5", es.Network("34x34x2-20-5", LIF(reset="hard"), n_ticks=300, clock="exact"))
    assert "the network ran in continuous time: its file runs on ticks of 1 ms" in notes(
        "export", "exact.h5", "out.nir", "--sample", recording)
    found = call("export", "exact.h5", "again.nir", "--sample", recording, "--json")["difference"]
    for model, name in (("exact.h5", "spikes"), ("out.nir", "exported")):
        layers = call("simulate", recording, "--model", model, "--json")["layers"]
        assert [one["spikes"] for one in layers] == [one[name] for one in found]
    assert found[0]["apart"] > 0


@pytest.mark.parametrize("scheme, arch, neuron, unmeasured", [
    ("snntorch", "9-6r-5", LIF(reset="hard"), ["recurrence"]), ("sinabs", "9-6r@d2-5", LIF(), ["Delay nodes"]),
    ("snntorch", "9-6r@d2-5", LIF(tau_mem=np.inf), ["Delay nodes", "recurrence", "NIR's IF"]),
    ("sinabs", "9-6-5", LIF(tau_mem=np.inf), ["NIR's IF"]), ("norse", "9-6r-5", LIF(tau_mem=np.inf), []),
])
def test_what_a_framework_does_otherwise_is_not_measured_as_its(call, notes, scheme, arch, neuron, unmeasured):
    es.save("net.h5", es.Network(arch, neuron))
    words = ("export", "net.h5", "out.nir", "--nir-scheme", scheme, "--force")
    assert call(*words, "--json")["unmeasured"] == unmeasured
    text = notes(*words)
    assert ("of the file as others read it: " in text) == (not unmeasured)
    assert (f"of the file read with {' and '.join(unmeasured)}, which is not how {scheme} reads it: " in text
            ) == bool(unmeasured)


@pytest.mark.parametrize("scheme", ["euler", "exponential", "snntorch", "norse", "sinabs"])
def test_every_scheme_is_written(call, scheme):
    es.save("lif.h5", es.Network("9-5", LIF(reset="hard")))
    found = call("export", "lif.h5", "out.nir", "--nir-scheme", scheme, "--json")
    assert found["scheme"] == scheme and len(found["notes"]) == (scheme == "sinabs")
    assert call("info", "out.nir", "--json")["arch"] == "9-5"


def test_what_cannot_be_exported_leaves_no_file(refuse, call, run, recording, net, here):
    assert "exists already" in refuse("export", run, run / "model.h5")
    assert "no such file" in refuse("export", "nowhere", "out.nir")
    assert "so with this network's tick of 1 ms that is 10000 ms" in refuse(
        "export", run, "out.nir", "--nir-scheme", "snntorch", "--nir-time-unit", "ms")
    assert "goes with --sample" in refuse("export", run, "out.nir", "--start", "first")
    assert "is a NIR file already" in refuse("export", net, "out.nir")  # and asks for no unit of time first
    es.save("lif.h5", es.Network("9-5", LIF()))
    call("export", "lif.h5", "lif.nir")
    assert "is a NIR file already" in refuse("export", "lif.nir", "out.nir")
    (here / "lif.nir").unlink()
    delayed = es.Network("9-5@d2")
    delayed.layers[0].delay = np.arange(45.0).reshape(9, 5)
    es.save("delayed.h5", delayed)
    assert "dense1 cannot be exported: it has delays that differ by" in refuse("export", "delayed.h5", "out.nir")
    assert "no such file" in refuse("export", run, "out.nir", "--sample", "nowhere.bin")
    assert [path.name for path in here.glob("*.nir")] == [net]


def test_options_of_nir_files_go_with_them(refuse, call, run, recording, net):
    assert refuse("simulate", recording, "--model", run, "--nir-dt", "1ms").startswith(f"{run}: is no NIR file; leave")
    assert "leave out --nir-input" in refuse("info", run, "--nir-input", "34x34x2")


def test_another_tick_makes_no_shorter_sample_and_is_said(call, notes, recording):
    es.save("net.h5", es.Network("34x34x2-20-5", LIF(reset="hard"), n_ticks=300))
    call("export", "net.h5", "out.nir")
    words = ("simulate", recording, "--model", "out.nir")
    whole, other = (call(*words, *more, "--json") for more in ((), ("--nir-dt", "0.5ms")))
    assert (whole["n_ticks"], other["n_ticks"]) == (300, 600)
    assert "out.nir: was written for a tick of 1 ms, and with one of 0.5 ms may be another" in notes(
        *words, "--nir-dt", "0.5ms")
    assert "another" not in notes(*words, "--clock", "0.5ms")


def test_a_wrong_time_is_a_usage_error(net, recording):
    result = CliRunner().invoke(main, ["simulate", str(recording), "--model", net, "--nir-time-unit", "minutes"])
    assert result.exit_code != 0 and "'minutes' is no time; write a unit" in result.stderr


def test_doubts_go_to_stderr(notes, call, recording):
    nir.write("slow.nir", chain((2312,), linear(10, 2312), lif(10, tau=20.0)))
    words = ("simulate", recording, "--model", "slow.nir", "--nir-time-unit", "s", "--nir-input", "34x34x2")
    assert "Note: slow.nir: node '1' (LIF) has a tau of 20 s, which is long for a neuron" in notes(*words)
    assert json.dumps(call(*words, "--json"))


def test_choices_are_those_of_the_library():
    from eventsim.cli import nir as options
    from eventsim.exchange.nir import READ, WRITE

    assert tuple(READ) == options._READ and tuple(WRITE) == options._WRITE


def test_pictures(call, refuse, net, recording, here):
    pytest.importorskip("matplotlib")
    words = (recording, "out.png", "--model", net, "--nir-time-unit", "s")
    assert "spikes of input, dense1, dense2" in call("plot", "raster", *words)
    assert "weights of all layers" in call("plot", "weights", net, "more.png", "--nir-time-unit", "s")
    found = call("plot", "membrane", recording, "u.png", "--model", net, "--nir-time-unit", "s", "--neurons", "0,1,2")
    assert "neurons 0, 1, 2 of dense2" in found

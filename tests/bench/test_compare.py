"""The comparison with others: whose results count, how ratios are taken, and that every peer does what it says."""

import io
import multiprocessing

import compare
import contestants
import numpy as np
import peers
import pytest
import rich.console

from eventsim import Network
from eventsim.bench import scene
from eventsim.engine import forward

ARCHITECTURES = ("34x34x2-60-40-10", "34x34x2-6c5s2-2p-bn-8c3p1g2-2p-bn-30-10")


@pytest.fixture(scope="module", params=ARCHITECTURES)
def built(request):
    return scene.build(request.param, batch=2, rate=6.0)


@pytest.fixture(scope="module")
def path(built, tmp_path_factory):
    path = tmp_path_factory.mktemp("scene") / "scene.npz"
    contestants.save(built, path)
    return path


class Answering:
    """A worker that answers "prepare" with what it was made with."""

    def __init__(self, name, **answer):
        self.name, self.answer = name, {"exact": True, "counts": np.array([[6, 4]]), "activity": [5.0, 2.0]} | answer

    def ask(self, request):
        assert request == "prepare"
        if isinstance(self.answer["counts"], str):
            raise RuntimeError(f"{self.name}: {self.answer['counts']}")
        return self.answer


def test_results_that_are_not_ours_are_left_out_and_named(capsys):
    ours = Answering("eventsim").answer
    workers = [
        Answering("same"), Answering("other counts", counts=np.array([[4, 6]])),
        Answering("broken", counts="no memory"),
        Answering("other model", exact=False, counts=np.array([[9, 9]]), activity=[5.5, 2.1]),
        Answering("too quiet", exact=False, activity=[5.0, 1.0]),
    ]
    assert [worker.name for worker in compare.verified(workers, ours)] == ["same", "other model"]
    told = capsys.readouterr().err
    assert "other counts: 40.0% of its output spikes differ" in told and "broken: no memory" in told
    assert "too quiet: a layer's activity is off by 50%" in told


def test_everybody_runs_once_a_round_and_two_rounds_do_not_count(monkeypatch):
    monkeypatch.setattr(compare, "_PAUSE", 0.0)
    order = []

    class Timed:
        def __init__(self, name, tasks):
            self.name, self.about = name, {"tasks": tasks}

        def ask(self, request, task):
            order.append((self.name, task))
            return float(len(order))

    class Failing(Timed):
        def ask(self, request, task):
            raise RuntimeError("c: no memory")

    workers = [Timed("a", ["inference", "training"]), Timed("b", ["inference"]), Failing("c", ["inference"])]
    times = compare.rounds(workers, repeats=3)
    assert ("c", "inference") not in times
    assert order == [("a", "inference"), ("a", "training"), ("b", "inference")] * 5
    assert times["b", "inference"] == [9.0, 12.0, 15.0]


def test_a_ratio_is_the_median_of_those_of_the_rounds():
    ours, other = {"times": {"t": [1.0, 2.0, 10.0]}}, {"times": {"t": [3.0, 4.0, 100.0]}}
    assert compare.ratio(other, "t", ours, "t") == 3.0


def served(name, path):
    """Ask a contestant as `compare` does, in a process of its own."""
    pipe, other = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=contestants.serve, args=(name, path, 1, "cpu", other),
                                                           daemon=True)
    process.start()
    other.close()
    try:
        for request in (("prepare",), ("run", "training"), ("memory",), ("run", "nothing")):
            pipe.send(request)
            yield pipe.recv()
    finally:
        process.terminate()
        process.join()


def test_we_are_served_like_everybody_else(built, path):
    (good, about), (_, took), (_, used), (fine, why) = served(contestants.OURS, path)
    assert good and about["exact"] and about["activity"] == built.activity()
    assert about["counts"].sum() == pytest.approx(15.0 * 2 * 10, rel=0.2)
    assert 0 < took < 10 and 0 < used["before"] <= used["peak"]
    assert not fine and why == "KeyError: 'nothing'"
    assert [layer["name"] for layer in about["layers"]] == built.network.layer_names
    assert all(layer["seconds"] > 0 and 0 < layer["touched"] <= 1 for layer in about["layers"])


def test_a_scene_is_restored_as_it_was(built, path):
    found = contestants.restored(np.load(path))
    assert found.config() == built.network.config()
    for layer, wanted in zip(found.layers, built.network.layers, strict=True):
        assert np.array_equal(layer.weight, wanted.weight)
        for stage, other in zip(layer.stages, wanted.stages, strict=True):
            for name in ("gamma", "beta", "running_mean", "running_var") if stage.kind == "batch_norm" else ("size",):
                assert np.array_equal(getattr(stage, name), getattr(other, name))
    assert forward(found, built.spikes).output == forward(built.network, built.spikes).output


def test_peers_take_what_lies_between_layers_and_weights_by_output_channel():
    network = Network(ARCHITECTURES[1])
    network.layers[1].stages[1].gamma = np.arange(6.0)
    stages = contestants.stages_of(network)
    kinds = ["conv", "average_pool", "batch_norm", "conv", "average_pool", "batch_norm", "dense", "dense"]
    assert [stage["kind"] for stage in stages] == kinds
    first, pool, norm, second = stages[:4]
    assert (first["stride"], second["padding"], second["groups"], pool["size"]) == (2, 1, 2, 2)
    assert first["weight"].shape == (6, 2, 5, 5) and second["weight"].shape == (8, 3, 3, 3)
    assert second["weight"][7, 2, 0, 1] == network.layers[1].weight[2, 0, 1, 7]
    assert norm["gamma"].tolist() == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("arch, what", [("34x34x2-4c5-do0.1-10", "dropout"), ("34x34x2-4c5-2a-10", "pool layers"),
                                        ("34x34x2-20r-10", "recurrent layers")])
def test_what_peers_do_not_have_is_named(arch, what):
    with pytest.raises(ValueError, match=f"the peers have no {what}; compare a network without"):
        contestants.stages_of(Network(arch))


def test_layers_have_their_time_and_what_they_were_touched_by():
    row = {"layers": [{"name": "conv1", "seconds": 0.00125, "touched": 0.25}]}
    console = rich.console.Console(width=80, record=True, file=io.StringIO())
    console.print(compare.layer_table(row))
    text = console.export_text()
    assert "conv1" in text and "1.25 ms" in text and "25.0 %" in text


def test_unknown_peers_are_refused():
    with pytest.raises(ValueError, match="'nobody'; the peers are dense SRM"):
        contestants.installed(["nobody"])


def test_peers_that_are_not_installed_say_why():
    classes, reasons = peers.available()
    assert classes.keys() | reasons.keys() == peers.PEERS.keys()
    assert all("No module named" in reason for reason in reasons.values())


@pytest.mark.peers
@pytest.mark.parametrize("name", peers.PEERS)
def test_a_peer_gives_our_counts_or_fires_like_us(built, path, name):
    if name not in contestants.installed():
        pytest.skip(f"{name}: {peers.available()[1][name]}; pip install 'eventsim[bench]'")
    (good, about), (_, took), *_ = served(name, path)
    assert good, about
    assert took > 0 and about["counts"].shape == (2, 10)
    ours = next(served(contestants.OURS, path))[1]
    worker = Answering(name, **about)
    assert compare.verified([worker], ours) == [worker]

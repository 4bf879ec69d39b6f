"""The comparison with others: whose results count, how ratios are taken, and that every peer does what it says."""

import multiprocessing

import compare
import contestants
import numpy as np
import peers
import pytest

from eventsim.bench import scene

ARCH = "34x34x2-60-40-10"


@pytest.fixture(scope="module")
def built():
    return scene.build(ARCH, batch=2, rate=6.0)


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
    process = multiprocessing.get_context("spawn").Process(target=contestants.serve, args=(name, path, 1, other),
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

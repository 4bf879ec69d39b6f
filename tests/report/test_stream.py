"""What is said of a stream: spikes and scores in the order of time, the same however the stream was cut."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from eventsim.engine.recent import Recent, Scores, StreamSpikes
from eventsim.report.stream import Scoreboard, lines, objects

N = 3


def said(times, cuts, every, score, end):
    """Everything that a scoreboard says of spikes (ms, ascending), certain up to each cut and then to the end."""
    board, out, last = Scoreboard(every, Recent(score, N)), [], 0
    for certain in [*sorted(cuts), end]:
        upto = int(np.searchsorted(times, certain))
        address = (np.arange(last, upto) % N).astype(np.int32)
        for item in board.take(StreamSpikes(times[last:upto], address), certain):
            out += objects(item)
        last = upto
    return out


@settings(deadline=None, derandomize=True)
@given(st.lists(st.integers(0, 4000), max_size=40), st.lists(st.integers(0, 5000), max_size=8),
       st.sampled_from([1.0, 0.3, 10.0, 700.0]), st.sampled_from([0.5, 25.0, 1000.0]))
def test_scores_stand_at_multiples_where_there_is_something_to_say(times, cuts, every, score):
    times = np.sort(np.array(times, float)) / 2
    found = said(times, np.array(cuts) / 2, every, score, 2500.0)
    assert found == said(times, [], every, score, 2500.0)
    wanted, fired, k = [], False, 1
    while k * every <= 2500.0:
        inside = (times >= k * every - score) & (times < k * every)
        counts = np.bincount(np.flatnonzero(inside) % N, minlength=N)
        if counts.any() or fired:
            chosen = int(np.argmax(counts)) if counts.any() else None
            wanted.append({"kind": "scores", "time": k * every, "class": chosen, "counts": counts.tolist()})
        fired, k = counts.any(), k + 1
    wanted += [{"kind": "spike", "time": t, "neuron": i % N} for i, t in enumerate(times)]
    assert found == sorted(wanted, key=lambda one: (one["time"], one["kind"]))  # scores before a spike of their time


def test_a_silence_of_years_takes_no_time():
    times = np.array([5.0, 2e12])
    found = said(times, [1.0, 1e12], 1.0, 10.0, 2e12 + 100)
    assert len(found) == 2 + 2 * 11


def test_lines():
    spikes = StreamSpikes(np.array([1.0, 2.0006]), np.array([2, 0], np.int32))
    assert lines(spikes) == ["1.000 ms  output 2", "2.001 ms  output 0"]
    assert lines(Scores(100.0, np.array([0, 3, 3]), 1)) == ["100.000 ms  class 1  spikes 0 3 3"]
    assert lines(Scores(100.0, np.zeros(2, int), 0)) == ["100.000 ms  class -  spikes 0 0"]
    assert lines(Scores(1.0, np.arange(25), 24))[0].endswith(" 18 19 and 5 more")

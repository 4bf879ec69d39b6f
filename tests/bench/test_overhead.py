"""What profiling costs is measured on passes that do the same."""

import re

from overhead import main, passes

import eventsim
from eventsim import pretrained


def test_a_pair_of_times_a_turn():
    dataset = eventsim.open_dataset("synthetic", train=4, validation=1).train
    pairs, spikes = passes(eventsim.load(pretrained.path("nmnist")), dataset, 2)
    assert len(pairs) == 2 and all(0 < time < 60 for pair in pairs for time in pair) and spikes > 100


def test_it_prints_a_line(capsys):
    main(["--data", "synthetic", "--model", "nmnist", "--split", "validation", "--turns", "1"])
    assert re.search(r"\d+ samples of [\d,]+ spikes, [\d.]+ ms a sample, profiled [\d.]+: [+-][\d.]+ %",
                     capsys.readouterr().out)

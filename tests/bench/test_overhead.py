"""What profiling costs is measured on passes that do the same."""

import re

from overhead import main, passes

import eventsim
from eventsim import pretrained


def test_a_pair_of_times_a_turn():
    dataset = eventsim.open_dataset("synthetic", train=4, validation=1).train
    pairs, spikes = passes(eventsim.load(pretrained.path("nmnist")), dataset, 2)
    assert len(pairs) == 2 and all(0 < time < 60 for pair in pairs for time in pair) and spikes > 100


def test_it_prints_a_line(capsys, tmp_path):
    dataset = eventsim.open_dataset("synthetic", train=10, validation=1).train
    for i in range(10):
        folder = tmp_path / "Train" / str(i)
        folder.mkdir(parents=True)
        eventsim.write(folder / "1.bin", dataset.events(i))
    main(["--data", str(tmp_path), "--model", "nmnist", "--turns", "1"])
    assert re.search(r"\d+ samples of [\d,]+ spikes, [\d.]+ ms a sample, profiled [\d.]+: [+-][\d.]+ %",
                     capsys.readouterr().out)

"""Cross-validation: every sample in one fold, every class in equal parts, and an accuracy of the whole."""

import json

import numpy as np
from folds import folds, main

import eventsim
from eventsim.data import write


def test_folds_share_out_every_class(rng):
    labels = rng.integers(0, 4, 203)
    fold = folds(labels, 5)
    for label in range(4):
        counts = np.bincount(fold[labels == label], minlength=5)
        assert counts.max() - counts.min() <= 1 and counts.sum() == (labels == label).sum()
    assert np.array_equal(fold, folds(labels, 5))


def test_every_sample_is_tested_once(tmp_path, monkeypatch, capsys):
    splits = eventsim.open_dataset("synthetic", train=20, validation=1)
    for part, samples in (("Test", splits.validation), ("Train", splits.train)):
        for i, label in enumerate(samples.labels):
            folder = tmp_path / part / str(label)
            folder.mkdir(parents=True, exist_ok=True)
            write(folder / f"{i + 1:05d}.bin", samples.events(i))
    recipe = tmp_path / "tiny.toml"
    recipe.write_text('name = "tiny"\nversion = 1\nabout = "a test"\n[network]\narch = "34x34x2-10"\n'
                      "[training]\nepochs = 1\nseed = 2\n")
    out = tmp_path / "out.json"
    monkeypatch.setattr("sys.argv", ["folds.py", "--recipe", str(recipe), "--data", str(tmp_path), "--folds", "2",
                                     "--json", str(out)])
    main()
    confusions = np.array(json.loads(out.read_text())["confusions"])
    assert np.array_equal(confusions.sum((0, 2)), np.bincount(samples.labels, minlength=10))
    printed = capsys.readouterr().out
    assert f"({np.trace(confusions.sum(0))} of 20; 95 % interval" in printed and "by class: 0: " in printed

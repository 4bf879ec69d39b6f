"""Cross-validation of a recipe: every training sample is tested once, by a network that was not trained on it.

    python tests/bench/folds.py --recipe nmnist-few --data N-MNIST/ --json folds.json

Folds hold the same share of every class and are the same for every recipe; the recipe's seed is that of every fold.
"""

import argparse
import json
import pathlib
import sys

import numpy as np

import eventsim
from eventsim import recipes
from eventsim.model.neurons import from_config
from eventsim.report import evaluation

SPLIT_SEED = 0


def folds(labels, n):
    """The fold of every sample, int64[len(labels)]; samples of a class are dealt out in turn, in a random order."""
    rng, out = np.random.default_rng(SPLIT_SEED), np.empty(len(labels), np.int64)
    for label in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == label))
        out[members] = np.arange(len(members)) % n
    return out


def of_fold(recipe, dataset, fold, k):
    """The confusion of the samples of fold ``k``, int64[C, C], by a network that was trained on the others."""
    neuron = from_config({"kind": "srm"} | recipe.neuron)
    network = eventsim.Network(**recipe.network, neuron=neuron, seed=recipe.training["seed"])
    eventsim.Trainer(network, **recipe.training).fit(dataset.subset(np.flatnonzero(fold != k)))
    return eventsim.evaluate(network, dataset.subset(np.flatnonzero(fold == k))).confusion


def main():
    """Train, test and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", required=True, help="name or file")
    parser.add_argument("--data", required=True, help="its training samples are shared out")
    parser.add_argument("--folds", type=int, default=5, help="how many (default: %(default)s)")
    parser.add_argument("--json", type=pathlib.Path, help="also write the figures here")
    choices = parser.parse_args()
    recipe, dataset = recipes.load(choices.recipe), eventsim.open_dataset(choices.data).train
    fold, confusions = folds(dataset.labels, choices.folds), []
    for k in range(choices.folds):
        confusions.append(of_fold(recipe, dataset, fold, k))
        right, n = np.trace(confusions[-1]), confusions[-1].sum()
        print(f"fold {k + 1} of {choices.folds}: {right} of {n} right", file=sys.stderr, flush=True)
    whole = np.sum(confusions, axis=0)
    print(f"{recipe.name}: {evaluation.accuracy_line(whole)}")
    print("by class:", ", ".join(f"{i}: {row[i]} of {row.sum()}" for i, row in enumerate(whole)))
    if choices.json:
        choices.json.write_text(json.dumps({"recipe": recipe.name, "version": recipe.version,
                                            "confusions": np.array(confusions).tolist()}))


if __name__ == "__main__":
    sys.exit(main())

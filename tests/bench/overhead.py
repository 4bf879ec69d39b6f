"""What profiling costs: a pass over a data set with it, and one without, in turns.

    python tests/bench/overhead.py --data N-MNIST/ --model runs/smlp-nmnist-01
"""

import argparse
import statistics
import sys
import time

from eventsim.cli.models import find_model
from eventsim.engine.warm_up import warm_up
from eventsim.profile import Profile
from eventsim.trainer import Observer, evaluate


class _Watched(Observer):
    def __init__(self, profile):
        self.profile = profile

    def ran(self, trace, labels):
        self.profile.add(trace, labels)


def passes(network, dataset, turns):
    """Seconds of passes without and with a `Profile`, a pair a turn, and the spikes of a sample."""
    warm_up(network)
    found = []
    for _ in range(turns + 1):
        profile, pair = Profile(network), []
        for observer in (None, _Watched(profile)):
            begun = time.perf_counter()
            evaluate(network, dataset, observer=observer)
            pair.append(time.perf_counter() - begun)
        found.append(pair)
    return found[1:], sum(layer["spikes"] for layer in profile.layer_figures())


def main(arguments=None):
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="data set")
    parser.add_argument("--model", help="run, file, or nmnist (default: the newest run)")
    parser.add_argument("--split", default="train", help="which of its samples (default: %(default)s)")
    parser.add_argument("--turns", type=int, default=7, help="(default: %(default)s)")
    choices = parser.parse_args(arguments)
    model = find_model(choices.model)
    dataset = model.open_data(choices.data).part(choices.split)
    pairs, spikes = passes(model.network, dataset, choices.turns)
    plain, profiled = (1000 * statistics.median(times) / len(dataset) for times in zip(*pairs, strict=True))
    ratio = statistics.median(b / a for a, b in pairs)
    print(f"{model}: {len(dataset)} samples of {spikes:,.0f} spikes, {plain:.3f} ms a sample, profiled {profiled:.3f}: "
          f"{100 * (ratio - 1):+.1f} % (median of {choices.turns} turns)")


if __name__ == "__main__":
    sys.exit(main())

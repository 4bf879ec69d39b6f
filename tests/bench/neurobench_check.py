"""NeuroBench's metrics by its own package beside ours, on the same network, samples and spikes.

    pip install -e ".[bench]"
    python tests/bench/neurobench_check.py --data N-MNIST/
    python tests/bench/neurobench_check.py --data N-MNIST/ --arch smlp --samples 2

The package sees modules of torch that replay eventsim's spikes, see `tick_network`: once as the architecture is
written, with stages as modules of their own, and where there is batch normalisation once more with that in the weights,
as eventsim runs it. Where its figures are not ours, the table says by what; the exit code is 1 where that is not all.

What to know of the package, version 2.3:

- An input of 0, 1 or -1 all over makes a layer's operations ACs, another one MACs. That is decided a call, so here
  networks are called a tick at a time.
- Operations are summed up in float32, and a call with more than 2^24 is rounded. No layer here has as many a tick.
- `ActivationSparsity` is the mean of the samples' own, `ActivationSparsityByLayer` one share over all samples.
- The latter cannot stand before all metrics that take hooks; one that raises is printed, and then 0.
- Sparsity from the first sample of a batch only (issue 258), of snnTorch's neurons that return spikes alone, has been
  mended. Batches are of one sample here all the same.
- `MembraneUpdates` and `NeuronOperations` take potentials and a table of operations of snnTorch's own neurons, in which
  there is no spike response model.
"""

import argparse
import contextlib
import io
import json
import pathlib
import sys

import numpy as np
import torch
from tick_network import Neurons, TickNetwork, as_array

from eventsim.bench import scene
from eventsim.cli.models import find_model
from eventsim.engine.feed import feed
from eventsim.profile import neurobench
from eventsim.report.tables import plain_table
from eventsim.trainer.loop import make_loader

ARCHITECTURES = ("34x34x2-512-10", "34x34x2-8c5s2p2-16c3s2p1-64-10", "34x34x2-8c5-2p-bn-16c3p1-2p-64-10")
_RATE, _CALIBRATION_BATCH = 8.0, 8
# Of a share, for the order in which it is computed.
_NEAR = 1e-12


def package_figures(modules, samples):
    """The package's figures of a `TickNetwork` on samples [T, N]."""
    from neurobench.benchmarks import Benchmark
    from neurobench.metrics import static, workload
    from neurobench.models import TorchModel

    model = TorchModel(modules)
    model.add_activation_module(Neurons)
    metrics = [
        [static.ParameterCount, static.Footprint, static.ConnectionSparsity],
        [workload.ActivationSparsity, workload.ActivationSparsityByLayer, workload.SynapticOperations],
    ]
    data = torch.utils.data.DataLoader([(sample, 0) for sample in samples], batch_size=1)
    with torch.no_grad(), contextlib.redirect_stdout(io.StringIO()) as told:
        found = Benchmark(model, data, [], [], metrics).run()
    if "Error" in told.getvalue():
        raise RuntimeError(told.getvalue())
    return found


class Account:
    """What the package counts of a layer behind stages: our additions, and what they become.

    spikes : additions, one for every live synapse that a spike crosses, as ours
    repeats : of these, those of spikes that share a tick and a synapse's input with another: they are one number
    resting : live synapses of inputs that no spike reaches in a tick, but which are not zero
    cancelled : live synapses of inputs that spikes reach in a tick, but which are zero
    macs, acs : operations in ticks in which inputs are not, and are, 0, 1 or -1 all over
    """

    def __init__(self):
        self.spikes = self.repeats = self.resting = self.cancelled = 0
        self.macs = self.acs = 0

    def add(self, layer, spikes, folded):
        """Count the spikes of a sample, of the neurons before the stages."""
        given, live = feed(layer, spikes), layer.live_fan_out
        count = as_array(given.spikes).numpy()
        values = count * np.float32(given.unit)
        if given.scale is not None and not folded:
            scale, offset = (np.repeat(v, layer.given.positions) for v in (given.scale, given.constant))
            values = count * scale + offset
        numbers = ~np.isin(values, (0, 1, -1)).all(axis=1)
        operations = (values != 0) @ live
        self.spikes += int((count @ live).sum())
        self.repeats += int((np.maximum(count - 1, 0) @ live).sum())
        self.resting += int(((values != 0) & (count == 0)).sum(axis=0) @ live)
        self.cancelled += int(((values == 0) & (count > 0)).sum(axis=0) @ live)
        self.macs += int(operations[numbers].sum())
        self.acs += int(operations[~numbers].sum())

    @property
    def adds_up(self):
        """Whether the differences are all."""
        return self.macs + self.acs == self.spikes - self.repeats + self.resting - self.cancelled


def expected(ours, modules, accounts):
    """Our figures as the package has to find them of the modules, and why these are others, by flat names."""
    norms = [layer.norm for layer in modules.network.layers if layer.norm]
    wanted, because = dict(flat(ours)), {}
    n = modules.profile.n_samples
    for key, total in (("MACs", sum(a.macs for a in accounts)), ("ACs", sum(a.acs for a in accounts))):
        wanted[f"SynapticOperations Effective_{key}"] = total / n
        because[f"SynapticOperations Effective_{key}"] = "some inputs are numbers, see below"
    if modules.folded:
        channels = sum(norm.given.channels for norm in norms)
        wanted["ParameterCount"] -= 2 * channels
        wanted["Footprint"] -= 16 * channels
        because |= dict.fromkeys(("ParameterCount", "Footprint"), f"normalisation of {channels} channels is no module")
    else:
        wanted["Footprint"] += 8 * len(norms)
        because["Footprint"] = f"torch counts batches, 8 bytes, {len(norms)} times"
    return wanted, {name: why for name, why in because.items() if not is_near(wanted[name], dict(flat(ours))[name])}


def is_near(a, b):
    """Whether two figures are the same."""
    return abs(a - b) <= _NEAR * max(1.0, abs(b))


def flat(figures):
    """Figures by one name each."""
    for name, value in figures.items():
        if isinstance(value, dict):
            yield from ((f"{name} {key}", one) for key, one in value.items())
        else:
            yield name, value


def compare(network, samples, folded=False):
    """A dict of what was found of a network on samples [T, N]: our figures, the package's, and what explains them.

    differ, farthest : spikes that torch decides otherwise, and how far from threshold, see `Neurons`
    unexplained : names of figures that are neither ours nor what they should be
    """
    modules = TickNetwork(network, folded)
    theirs = dict(flat(package_figures(modules, samples)))
    accounts = [Account() for _ in network.layers]
    for sample in samples:
        for account, layer, spikes in zip(accounts, network.layers, modules.given(sample), strict=True):
            account.add(layer, spikes, folded)
    ours = neurobench.figures(modules.profile)
    wanted, because = expected(ours, modules, accounts)
    wrong = [name for name in wanted if not is_near(theirs[name], wanted[name])]
    wrong += [name for name, account in zip(network.layer_names, accounts, strict=True) if not account.adds_up]
    return {
        "samples": len(samples), "folded": folded, "spikes": int(modules.profile.spikes().sum()),
        "differ": sum(neurons.differ for neurons in modules.neurons),
        "farthest": max(neurons.farthest for neurons in modules.neurons), "ours": dict(flat(ours)), "theirs": theirs,
        "because": because, "unexplained": wrong,
        "layers": {name: vars(account) for name, account in zip(network.layer_names, accounts, strict=True)},
    }


def screen(found):
    """Lines and tables of what `compare` found."""
    if found["folded"]:
        yield "The same with normalisation in the weights"
    rows = []
    for name, value in found["ours"].items():
        other = found["theirs"][name]
        difference = "" if is_near(other, value) else f"{'+' if other > value else ''}{_exactly(other - value)}"
        rows.append((name, _exactly(value), _exactly(other), difference, found["because"].get(name, "")))
    yield plain_table(("metric", "eventsim", "NeuroBench", "difference", ""), rows)
    if any(one["spikes"] != one["acs"] for one in found["layers"].values()):
        rows = [(name, *(f"{value / found['samples']:,.1f}" for value in one.values()))
                for name, one in found["layers"].items()]
        yield plain_table(("a sample", "our ACs", "- repeats", "+ resting", "- cancelled", "= MACs", "+ ACs"), rows)
    yield (f"Of {found['spikes']:,} spikes torch by itself decides {found['differ']} otherwise"
           + (f", at most {found['farthest']:.0e} thresholds from threshold." if found["differ"] else "."))
    if found["unexplained"]:
        yield f"NOT EXPLAINED: {', '.join(found['unexplained'])}"


def _exactly(value):
    return f"{value:,}" if isinstance(value, int) else f"{value:,.12g}"


def random_network(arch, data, zeros):
    """A network whose layers fire on a batch of the data; then the smallest weights of each, this share, are zero."""
    network = scene.build(arch, data, _CALIBRATION_BATCH, _RATE).network
    for layer in network.layers:
        weight = layer.weight
        layer.weight = np.where(np.abs(weight) <= np.quantile(np.abs(weight), zeros), np.float32(0), weight)
    return network


def main():
    """Compare, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", action="append", default=[], help="a run, a file, or nmnist; may be repeated")
    parser.add_argument("--arch", action="append", default=[], help="random weights; may be repeated. Default: nmnist "
                                                                   f"and {' and '.join(ARCHITECTURES)}")
    parser.add_argument("--data", default="synthetic", help="path of a data set, or synthetic")
    parser.add_argument("--samples", type=int, default=4, help="default: %(default)s")
    parser.add_argument("--zeros", type=float, default=0.3, help="share of random weights that are zero")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE")
    options = parser.parse_args()

    from rich.console import Console

    console, results = Console(width=160, highlight=False), {}
    if not options.model + options.arch:
        options.model, options.arch = ["nmnist"], list(ARCHITECTURES)
    networks = [(name, find_model(name, clock=("grid", None)).network) for name in options.model]
    networks += [(arch, random_network(arch, options.data, options.zeros)) for arch in options.arch]
    source, order = scene.training_samples(options.data, options.samples, seed=1)
    for name, network in networks:
        samples = [as_array(spikes) for spikes, _, _ in make_loader(network, source, 1, order)]
        console.print(f"\n{network.arch.notation}, {len(samples[0])} ticks; samples: {len(samples)}")
        results[name] = []
        for folded in (False, True) if any(layer.norm for layer in network.layers) else (False,):
            results[name].append(compare(network, samples, folded))
            console.print(*screen(results[name][-1]), sep="\n")
    if options.json:
        options.json.write_text(json.dumps(results, indent=1))
    return int(any(found["unexplained"] for both in results.values() for found in both))


if __name__ == "__main__":
    sys.exit(main())

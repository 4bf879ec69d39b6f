"""An eventsim network as modules of torch that other tools recognise, stepped tick by tick on eventsim's spikes."""

from collections import OrderedDict

import contestants
import torch
from torch import nn

from eventsim import Spikes
from eventsim.engine import run
from eventsim.profile import Profile


class Neurons(nn.Module):
    """SRM neurons that emit the spikes they are told, and count where their own, by the same recursion, are others.

    What is told also enters the refractory term, so that a decision which rounding makes the other way does not spread.

    constant : a current in every tick, or 0

    ``farthest`` is how far from threshold, in thresholds, a potential was that decided otherwise.
    """

    def __init__(self, network, constant=0.0):
        super().__init__()
        self.srm, self.dead = network.neuron.constants(network.dt).tolist()[:5], network.neuron.dead_ticks(network.dt)
        self.constant = constant
        self.differ, self.farthest = 0, 0.0

    def start(self, spikes):
        """Take the spikes of a sample, bool[T, ...]."""
        self.spikes, self.tick = spikes, 0
        self.p, self.q, self.p_ref, self.q_ref = torch.zeros(4, *spikes.shape[1:])
        self.ready = torch.zeros(spikes.shape[1:], dtype=torch.int64)

    def forward(self, currents):
        """The spikes of the next tick, float32[1, ...], which the currents of that tick do not reach yet."""
        alpha, gain, beta, kick, theta = self.srm
        self.q, self.q_ref = alpha * (self.q + self.p), beta * (self.q_ref + self.p_ref)
        u, told = self.q + self.q_ref, self.spikes[self.tick]
        differ = ((u >= theta) & (self.ready <= self.tick)) != told
        self.differ += int(differ.sum())
        self.farthest = max(self.farthest, *(u[differ] / theta - 1).abs().tolist(), 0.0)
        self.ready[told] = self.tick + self.dead
        self.p = alpha * self.p + gain * (currents.reshape(told.shape) + self.constant)
        self.p_ref = beta * self.p_ref + kick * told
        self.tick += 1
        return told.float()[None]


class TickNetwork(nn.Module):
    """A network without pools of neurons, dropout, recurrence or delays, for one sample float32[1, T, N] at a time.

    Every layer is its stages, its weights and `Neurons`, which have the layer's name. eventsim runs what comes in, and
    adds it to ``profile``; the modules replay that.

    folded : normalisation is in the weights and a constant current, as eventsim runs it, and not a module
    """

    def __init__(self, network, folded=False):
        super().__init__()
        self.network, self.profile, self.folded = network, Profile(network), folded
        self.shapes = [network.arch.input, *(layer.shape for layer in network.layers)]
        modules, stages = OrderedDict(), iter(contestants.stages_of(network))
        for name, layer in zip(network.layer_names, network.layers, strict=True):
            constant, norm = 0.0, None
            for stage in [next(stages) for _ in layer.stages]:
                if stage["kind"] == "average_pool":
                    modules[f"{name}_pool"] = nn.AvgPool2d(stage["size"])
                elif folded:
                    norm = layer.norm.affine(stage["mean"], stage["var"])
                else:
                    modules[f"{name}_norm"] = _norm(stage, layer.given)
            stage = next(stages)
            if stage["kind"] == "dense":
                modules[f"{name}_flat"] = nn.Flatten()
            weights = modules[f"{name}_weights"] = _synapses(stage, layer)
            if norm is not None:
                constant = _fold(weights, layer, *(torch.tensor(values, dtype=torch.float32) for values in norm))
            modules[name] = Neurons(network, constant)
        self.layers = nn.Sequential(modules)
        self.eval()

    @property
    def neurons(self):
        """The `Neurons` of every layer."""
        return [module for module in self.layers if isinstance(module, Neurons)]

    def given(self, sample):
        """Spikes before every layer, of a sample [T, N]."""
        trace = run(self.network, spikes_of(sample, self.network.dt))
        return [trace.input, *(done.spikes for done in trace.layers[:-1])]

    def forward(self, x):
        """Output spikes [1, T, N, 1, 1]."""
        trace = run(self.network, spikes_of(x[0], self.network.dt))
        self.profile.add(trace)
        for neurons, done, shape in zip(self.neurons, trace.layers, self.shapes[1:], strict=True):
            neurons.start(as_array(done.spikes).bool().view(-1, *_sizes(shape)))
        image = x.view(-1, *_sizes(self.shapes[0]))
        return torch.stack([self.layers(tick) for tick in image.split(1)], 1)


def as_array(spikes):
    """Spikes of one sample, how many in each tick of each neuron, float32[T, N]."""
    x = torch.zeros(spikes.n_ticks, spikes.n_neurons)
    where = torch.tensor(spikes.tick, dtype=torch.int64), torch.tensor(spikes.address, dtype=torch.int64)
    return x.index_put_(where, torch.ones(len(spikes)), accumulate=True)


def spikes_of(x, dt):
    """The `Spikes` of an array that `as_array` made."""
    tick, address = (part.repeat_interleave(x[x > 0].long()) for part in torch.nonzero(x, as_tuple=True))
    return Spikes([0, len(tick)], address.numpy(), tick=tick.numpy(), n_neurons=x.shape[1], n_ticks=len(x), dt=dt)


def _sizes(shape):
    return shape.channels, shape.height, shape.width


def _norm(stage, given):
    norm = nn.BatchNorm2d(given.channels)
    values = {"weight": stage["gamma"], "bias": stage["beta"], "running_mean": stage["mean"],
              "running_var": stage["var"], "num_batches_tracked": 0}
    norm.load_state_dict({name: torch.tensor(value) for name, value in values.items()})
    return norm


def _synapses(stage, layer):
    """Weights as a module, without a bias."""
    weight = torch.tensor(stage["weight"]).contiguous()
    if stage["kind"] == "dense":
        module, weight = nn.Linear(*weight.shape, bias=False), weight.T.contiguous()
    else:
        options = {name: stage[name] for name in ("stride", "padding", "dilation", "groups")}
        module = nn.Conv2d(layer.given.channels, len(weight), weight.shape[2], bias=False, **options)
    module.weight = nn.Parameter(weight)
    return module


@torch.no_grad()
def _fold(module, layer, scale, offset):
    """Multiply weights by the scale of their channel; returns the currents that the offsets make."""
    given, weight = layer.given, module.weight
    image = offset.repeat_interleave(given.positions)
    if isinstance(module, nn.Linear):
        constant = module(image)
        weight *= scale.repeat_interleave(given.positions)
    else:
        constant = module(image.view(1, *_sizes(given)))
        weight.view(layer.groups, -1, *weight.shape[1:]).mul_(scale.view(layer.groups, 1, -1, 1, 1))
    return constant.reshape(_sizes(layer.shape))

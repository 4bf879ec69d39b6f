"""From a `Network` to a NIR graph."""

from dataclasses import dataclass

import numpy as np

from eventsim import checks
from eventsim.errors import ConfigError
from eventsim.exchange.nir import delays, file
from eventsim.exchange.nir.neuron_nodes import Clock, nearest, node_of
from eventsim.exchange.nir.schemes import AS_READ, WRITE, Scheme
from eventsim.exchange.nir.timing import NOTE, Reading
from eventsim.exchange.nir.weight_nodes import NODES
from eventsim.model import SRM
from eventsim.model.network import INPUT_MODES

_SECOND = 1000.0  # ms
_ROUNDING = 1e-9
# What nodes are called by a layer's kind; a pool is read as the convolution that it is.
_NAMES = {"pool": "conv"}


@dataclass(frozen=True)
class Writing:
    """How a file shall be written.

    scheme : one in `WRITE`, for whom
    time_unit : the file's unit of time, in ms; None: a second, or what the scheme fixes
    share : of the spike response model's refractoriness that a reset takes, see `nearest`
    """

    scheme: str = "euler"
    time_unit: float | None = None
    share: float = 0.75  # of the shares in `fitted` the best for the network that comes with eventsim

    def __post_init__(self):
        checks.choice("scheme", self.scheme, WRITE)
        if self.time_unit is not None:
            object.__setattr__(self, "time_unit", checks.milliseconds("time_unit", self.time_unit))
        object.__setattr__(self, "share", checks.number("share", self.share))

    @property
    def to(self) -> Scheme:
        """The scheme."""
        return WRITE[self.scheme]

    def clock(self, dt) -> Clock:
        """The clock of a network with a tick of ``dt`` ms; raises `ConfigError` where the scheme has another unit."""
        scheme = self.to
        wanted = _SECOND if scheme.tick is None else dt / scheme.tick
        unit = wanted if self.time_unit is None else self.time_unit
        if scheme.tick is not None and abs(unit / wanted - 1.0) > _ROUNDING:
            raise ConfigError(
                f"for {self.scheme} a tick is {scheme.tick:g} of the unit of time, so with this network's tick of "
                f"{dt:g} ms that is {wanted:g} ms, not {unit:g}; leave out --nir-time-unit"
            )
        return Clock(scheme, unit, dt)

    def as_read(self, dt) -> Reading:
        """How others read the file of a network with a tick of ``dt``, who do not know what eventsim noted."""
        return Reading(AS_READ[self.scheme], self.clock(dt).unit, dt, self.to.reader_resets)


@dataclass(frozen=True)
class Exported:
    """A `nir.NIRGraph`, and sentences on what it does not say of the network.

    unmeasured : what is in the graph that its reader does otherwise, and `difference` as NIR says it
    """

    graph: object
    notes: list[str]
    unmeasured: list[str]


class _Chain:
    """Nodes one after the other."""

    def __init__(self, shape):
        self.nir = file.require()
        self.nodes, self.edges, self.last = {"input": self.nir.Input(np.array(shape))}, [], "input"

    def add(self, name, node):
        """Put a node behind the last one; None is none."""
        if node is not None:
            self.nodes[name] = node
            self.edges.append((self.last, name))
            self.last = name

    def close(self, name):
        """Connect the last node to an earlier one, behind which the chain goes on."""
        self.edges.append((self.last, name))
        self.last = name


def _flow(shape, is_flat):
    return (shape.size,) if is_flat else (shape.channels, shape.height, shape.width)


def to_graph(network, writing=None) -> Exported:
    """The graph of a network.

    writing : `Writing`, for whom

    Neurons of the spike response model become the nearest that NIR has, see `nearest`. Raises `ConfigError` that names
    the layer where NIR, or this writer, cannot say what it is.
    """
    writing = writing or Writing()
    clock = writing.clock(network.dt)
    is_flat = network.sensor.height == network.sensor.polarities == 1
    chain, lost, near, is_odd = _Chain(_flow(network.arch.input, is_flat)), {}, [], False
    for i, (layer, neuron) in enumerate(zip(network.layers, network.neurons, strict=True), 1):
        name = f"{_NAMES.get(layer.kind, layer.kind)}{i}"
        try:
            is_flat = _add_layer(chain, name, layer, is_flat, clock)
            is_near = isinstance(neuron, SRM)
            if is_near:
                near.append(name)
                neuron = nearest(neuron, network.dt, writing.share)
            node, unsaid = node_of(neuron, _flow(layer.shape, is_flat), clock)
            chain.add(name, node)
            if layer.kind == "recurrent":  # the nearest answers a tick earlier, so what comes back must take one more
                _add_dense(chain, f"{name}_recurrent", "", layer.recurrent, clock, network.dt if is_near else 0.0)
                chain.close(name)
        except ConfigError as error:
            raise ConfigError(f"layer {name} cannot be exported: it {error}") from None
        is_odd |= neuron.fires and writing.to.odd_if in unsaid
        for what in unsaid:
            lost.setdefault(what, []).append(name)
    chain.add("output", chain.nir.Output(np.array(_flow(network.layers[-1].shape, is_flat))))
    notes = [f"NIR has no alpha kernels: {', '.join(near)} became the nearest CubaLIF, whose psp is the same and whose "
             f"reset takes {writing.share:g} of what the refractory response does"] if near else []
    notes += [f"the neurons of {', '.join(names)} {what}; readers other than eventsim do not learn it"
              for what, names in lost.items()]
    unread = _unread(chain, writing)
    notes += [f"the import of {writing.scheme} has no {what}, here {', '.join(names)}"
              for what, names in unread.items()]
    unmeasured = [*unread, *(["NIR's IF"] if is_odd else [])]
    if network.clock == "exact":
        notes.append("NIR has no clock, and the network ran in continuous time: its file runs on ticks of "
                     f"{network.dt:g} ms, in eventsim unless --clock exact says otherwise")
    return Exported(_graph(chain, network, writing, clock, notes), notes, unmeasured)


def _add_layer(chain, name, layer, is_flat, clock):
    """The nodes before a layer's neurons; whether what comes out of them is flat."""
    if layer.kind not in NODES:
        raise ConfigError(f"is {layer.kind}, which the exporter does not have; make it dense")
    for stage in layer.stages:
        if stage.kind == "average_pool":
            size = np.array([stage.size] * 2)
            chain.add(f"{name}_pool", chain.nir.AvgPool2d(kernel_size=size, stride=size, padding=np.zeros(2, int)))
    if layer.kind in ("dense", "recurrent"):
        if not is_flat:
            chain.add(f"{name}_flatten", chain.nir.Flatten(np.array(_flow(layer.given, False)), 0, -1))
        _add_dense(chain, name, "_weight", layer, clock)
        return True
    suffixes = ("weight", "scale")
    for node, suffix in zip(NODES[layer.kind](layer, is_flat), suffixes, strict=False):
        chain.add(f"{name}_{suffix}", node)
    return is_flat and not any(f"{name}_{suffix}" in chain.nodes for suffix in suffixes)


def _add_dense(chain, name, suffix, part, clock, more=0.0):
    """The nodes of all-to-all synapses: their weights, and what delays before or behind them."""
    before, after = delays.nodes_of(part, clock, more)
    [weight] = NODES[part.kind](part, True)
    if after is not None and hasattr(weight, "bias"):
        raise ConfigError("has delays by the neurons that it goes to, and constant inputs, which NIR would delay as "
                          "well; leave out the one or the other")
    chain.add(f"{name}_delay", before)
    chain.add(f"{name}{suffix}", weight)
    chain.add(f"{name}_delay", after)


def _unread(chain, writing):
    """What the framework that is written for does not read: names of nodes by what they are."""
    late = [name for name, node in chain.nodes.items() if isinstance(node, chain.nir.Delay)]
    back = [name for name in chain.nodes if f"{name}_recurrent" in chain.nodes]
    return {what: names for what, names, lack in (("Delay nodes", late, "Delay"), ("recurrence", back, "recurrence"))
            if names and lack in writing.to.lacks}


def _graph(chain, network, writing, clock, notes):
    noted = {"scheme": AS_READ[writing.scheme], "dt": network.dt, "time_unit": clock.unit}
    if network.n_ticks is not None:
        noted["n_ticks"] = network.n_ticks
    if network.input_mode != INPUT_MODES[0]:
        noted["input_mode"] = network.input_mode
    grouped = [name for name, node in chain.nodes.items() if getattr(node, "groups", 1) > 1]
    if grouped:
        notes.append(f"the package nir {chain.nir.version} checks the types of convolutions in groups wrongly: read "
                     f"{', '.join(grouped)} with nir.read(file, type_check=False)")
    return chain.nir.NIRGraph(chain.nodes, chain.edges, metadata={NOTE: noted}, type_check=not grouped)


def write(path, network, writing=None) -> Exported:
    """Write a network into a NIR file, all or nothing.

    Raises as `to_graph` does, and `ConfigError` where the place cannot be written.
    """
    exported = to_graph(network, writing)
    file.save(path, exported.graph)
    return exported

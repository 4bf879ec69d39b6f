"""From a NIR graph to a `Network`."""

import math
from dataclasses import dataclass

from eventsim import checks
from eventsim.errors import ConfigError, FormatError
from eventsim.exchange.nir import file
from eventsim.exchange.nir.builder import Builder
from eventsim.exchange.nir.chain import chain
from eventsim.exchange.nir.flat import flat
from eventsim.exchange.nir.integrators import INTEGRATORS, is_read
from eventsim.exchange.nir.loops import way_back
from eventsim.exchange.nir.neurons import NEURONS
from eventsim.exchange.nir.nodes import take
from eventsim.exchange.nir.timing import NOTE, Reading, Timing
from eventsim.model import Network
from eventsim.model.network import INPUT_MODES

_ROUNDING = 1e-12  # of a duration in ticks, which is no whole one for it


@dataclass(frozen=True)
class Imported:
    """A network, and sentences on what may be otherwise in its file than it was meant."""

    network: Network
    notes: list[str]


def read(path, reading=None) -> Imported:
    """The network in a NIR file.

    reading : `Reading`, what the file's numbers mean; default: as it says itself

    Raises `FormatError` that names the node where eventsim cannot have it, and `ConfigError` without the package nir.
    """
    return _built(str(path), *file.load(path), reading)


def from_graph(graph, reading=None, source="graph") -> Imported:
    """The network of a `nir.NIRGraph`; ``source`` is what sentences call it. Raises as `read` does."""
    return _built(source, graph.nodes, list(graph.edges), graph.metadata or {}, reading)


def _built(source, nodes, edges, metadata, reading):
    reading = reading or Reading()
    timing = Timing.of(source, reading, metadata)
    builder = Builder(source, timing, reading.sensor)
    if timing.reset != "hard" and reading.reset is None and not timing.is_ours:
        builder.notes.append(f"{source}: says nothing but a reset to v_reset, and is read with the framework's default "
                             f"reset, {timing.reset}; --nir-reset names another")
    nodes, edges = flat(source, nodes, edges)
    order, loops = chain(source, nodes, edges)
    last = next((name for name in reversed(order) if type(nodes[name]).__name__ in (*NEURONS, *INTEGRATORS)), None)
    for name in order:
        if name in loops:
            builder.back = way_back(builder, name, loops[name], nodes)
        take(builder, name, nodes[name], is_read(builder.where(name, nodes[name]), nodes[name], timing, name == last))
    network = builder.network()
    try:
        builder.notes += _take_notes(source, network, metadata.get(NOTE)) + _too_late(source, network)
    except (ConfigError, TypeError, ValueError, OverflowError) as error:
        raise FormatError(f"{source}: what eventsim noted is damaged ({error}); remove the file's metadata") from None
    return Imported(network, builder.notes)


def _too_late(source, network):
    """Sentences on layers whose spikes may arrive after the sample that eventsim noted."""
    span = math.inf if network.n_ticks is None else network.n_ticks * network.dt
    longest = {name: max((float(part.delay.max()) for part in layer.projections if part.delay is not None), default=0)
               for name, layer in zip(network.layer_names, network.layers, strict=True)}
    return [f"{source}: {name} has a delay of {delay:g} ms, and a sample lasts {span:g} ms: what arrives later does "
            "nothing, though SynOps count it" for name, delay in longest.items() if delay >= span]


def _take_notes(source, network, notes):
    """Give a network what eventsim noted of a sample, which lasts as long in ticks of another length, and its input.

    Returns sentences for the user.
    """
    if not isinstance(notes, dict):
        return []
    dt = checks.milliseconds("dt", file.scalar(notes["dt"])) if "dt" in notes else network.dt
    if "n_ticks" in notes:
        n_ticks = checks.whole_number("n_ticks", int(file.scalar(notes["n_ticks"])), 1)
        if dt != network.dt:
            n_ticks = max(1, math.ceil(n_ticks * dt / network.dt * (1.0 - _ROUNDING)))
        network.n_ticks = checks.whole_number("n_ticks", n_ticks, 1)
    if "input_mode" in notes:
        network.input_mode = checks.choice("input_mode", notes["input_mode"], INPUT_MODES)
    return [] if dt == network.dt else [
        f"{source}: was written for a tick of {dt:g} ms, and with one of {network.dt:g} ms may be another network: in "
        "NIR's equations the tick decides what a spike adds to neurons that leak, and a bias to those that do not. "
        f"--clock {network.dt:g}ms in place of --nir-dt keeps what they add"]

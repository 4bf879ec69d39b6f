"""Running spikes or a recording through a network, on either clock."""

from eventsim import checks
from eventsim.data.encoders import bin_events, exact_times
from eventsim.engine.exact import exact_layer, forward_exact
from eventsim.engine.forward import forward, forward_layer
from eventsim.engine.gpu import binning as gpu
from eventsim.engine.trace import LayerTrace, Trace
from eventsim.errors import ConfigError
from eventsim.events import Events
from eventsim.model.network import CLOCKS
from eventsim.sensor import mismatch


def run(network, spikes, *, supports=None, rng=None) -> Trace:
    """Run a batch of input spikes through every layer, on the clock of the spikes: `forward` or `forward_exact`."""
    on_clock = forward if getattr(spikes, "time", None) is None else forward_exact
    return on_clock(network, spikes, supports=supports, rng=rng)


def run_layer(layer, neuron, spikes, dt, rng=None) -> LayerTrace:
    """One layer over a batch, on the clock of the spikes; dt in ms is the dead time of a neuron that has none.

    rng : in training, see `forward`
    """
    if spikes.time is None:
        return forward_layer(layer, neuron, spikes, rng=rng)
    return exact_layer(layer, neuron, spikes, dt, rng)


def simulate(network, events, *, clock=None) -> Trace:
    """Run one recording; returns its `Trace`, whose ``binning`` says what became of the events.

    events : Events of the network's sensor
    clock : "grid" or "exact"; None: the network's own

    Raises `ConfigError` where the recording does not fit the network.
    """
    clock = network.clock if clock is None else checks.choice("clock", clock, CLOCKS)
    if not isinstance(events, Events):
        raise ConfigError(f"a recording must be Events, got {type(events).__name__}; eventsim.read gives them")
    if events.sensor != network.sensor:
        raise ConfigError(mismatch("the recording", events.sensor, network.sensor))
    if clock == "exact":
        duration = None if network.n_ticks is None else network.n_ticks * network.dt
        spikes, report = exact_times(events, duration, network.dt)
    elif network.device is not None:
        spikes, report = gpu.bin_events(network.device, events, network.dt, network.n_ticks, network.input_mode)
    else:
        spikes, report = bin_events(events, network.dt, network.n_ticks, network.input_mode)
    trace = run(network, spikes)
    trace.binning = report
    return trace

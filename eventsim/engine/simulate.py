"""Running one recording through a network."""

from eventsim import checks
from eventsim.data.encoders import bin_events, exact_times
from eventsim.engine.forward import forward
from eventsim.engine.queue import forward_exact
from eventsim.engine.trace import Trace
from eventsim.errors import ConfigError
from eventsim.events import Events
from eventsim.model.network import CLOCKS


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
        raise ConfigError(f"the network takes events of a {network.sensor} sensor, the recording has {events.sensor}")
    if clock == "exact":
        duration = None if network.n_ticks is None else network.n_ticks * network.dt
        spikes, report = exact_times(events, duration, network.dt)
        trace = forward_exact(network, spikes)
    else:
        spikes, report = bin_events(events, network.dt, network.n_ticks, network.input_mode)
        trace = forward(network, spikes)
    trace.binning = report
    return trace

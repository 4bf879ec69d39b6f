"""Running one recording, or a window of it, through a network."""

import math

import click

from eventsim.data import BinningReport
from eventsim.data.codecs import open_for
from eventsim.engine.warm_up import warm_up


def run_recording(network, source, sensor, codec, start):
    """The events of the recording ``source`` that lie in the network's window, and its `Trace`.

    start : ms of the recording where the window begins, None: at its first event

    What lies outside is counted in the trace's ``binning`` and takes no memory.
    """
    length = None if network.n_ticks is None else round(1000 * network.n_ticks * network.dt)
    with open_for(network.sensor, source, sensor, codec) as recording:
        events, before, after = recording.window(None if start is None else round(1000 * start), length)
    warm_up(network)
    trace = network.simulate(events)
    duration = trace.input.n_ticks * trace.input.dt
    first = events.t[0] / 1000 if len(events) else math.inf
    if start == 0 and before + after + len(events) and first > duration / 2:
        click.echo("most of the time that was simulated has no event, since the recording begins late; --start first "
                   "begins with its first event", err=True)
    trace.binning += BinningReport(before + after, before=before, after=after)
    return events, trace

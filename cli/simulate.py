"""``eventsim simulate``: one recording through a network."""

import pathlib

import click

from eventsim.cli import options
from eventsim.cli.output import busy, print_json, show


@options.command
@click.argument("recording", metavar="FILE|-")
@options.model_option
@options.clock_option
@options.recording_options
@click.option("--out", type=click.Path(path_type=pathlib.Path), help="Also write the spikes of all layers (HDF5).")
@options.force_option
@options.weights_option
@options.threads_option
@options.json_option
def simulate(recording, model, clock, codec, sensor, out, force, weights, as_json):
    """Run one recording through a trained network.

    Prints the class, the spikes of the output neurons, and a line for every layer: its spikes and rate, the synapses
    that they crossed (SynOps) against what a dense simulation multiplies (MACs), and the time. FILE is an N-MNIST
    recording; - reads it from standard input (then name its format with --codec).

    \b
    Examples:
      eventsim generate sample.bin && eventsim simulate sample.bin
      eventsim simulate sample.bin --model runs/mlp512-synthetic-01 --clock exact
      eventsim simulate sample.bin --json --out spikes.h5
    """
    from eventsim.cli.models import find_model
    from eventsim.data import read
    from eventsim.engine.warm_up import warm_up
    from eventsim.report import simulation, spike_file

    if out is not None:
        options.refuse_existing(out, force)
    events = read(recording, sensor=sensor, codec=codec)
    found = find_model(model, weights, clock)
    network = found.network
    with busy("running the network (kernels compile when first used)"):
        warm_up(network.clock, weights, network.is_immediate)
        trace = network.simulate(events)
    if out is not None:
        spike_file.write(out, trace, {"recording": recording, "model": str(found.path)})
    if as_json:
        print_json({"file": recording, "model": str(found.path), "weights": weights,
                    **simulation.as_dict(network, events, trace)})
        return
    facts = simulation.facts(network, events, trace)
    show([("Recording", recording), ("Model", found), *facts], "", *simulation.screen(trace))
    if out is not None:
        show("", f"Spikes of all layers are in {out}.")

"""``eventsim simulate``: one recording through a network."""

import pathlib

import click

from eventsim.cli import options
from eventsim.cli.follow import follow as run_stream
from eventsim.cli.follow import follow_flag, live_options
from eventsim.cli.nir import reading_options
from eventsim.cli.output import busy, print_json, show


@options.command
@click.argument("recording", metavar="FILE|-")
@options.model_option
@reading_options
@options.clock_option
@options.recording_options
@options.start_option
@click.option("--out", type=click.Path(path_type=pathlib.Path), help="Also write the spikes of all layers (HDF5).")
@options.force_option
@options.weights_option
@options.device_option
@options.threads_option
@follow_flag
@live_options
@options.json_option
@click.pass_context
def simulate(context, recording, model, clock, codec, sensor, start, out, force, weights, device, follow,
             as_json, **live):
    """Run one recording through a trained network.

    Prints the class, the spikes of the output neurons (or what is read of their potentials), and a line for every
    layer: its spikes and rate, the synapses that they crossed (SynOps) against what a dense simulation multiplies
    (MACs), and the time. FILE is a recording of any format that `eventsim convert` reads; - reads it from standard
    input. A network with a window of its own, such as N-MNIST's 300 ms, sees the events in it, from --start on; others
    are counted.

    With --follow the recording is a stream, run on the exact clock with float32 weights, and every output spike is
    printed as soon as no event can come any more that is earlier; now and then a line with the class and the scores of
    every output: spikes, or potentials read. It ends with the stream or with Ctrl-C, and a summary. With --json every
    line is an object then: of kind spike, scores or summary.

    What is no event of the network's sensor is skipped and counted in a stream (of nmnist or csv, also with --once); in
    a file of another format, which runs with --once alone, it is refused as without --follow.

    \b
    Examples:
      eventsim generate sample.bin && eventsim simulate sample.bin
      eventsim simulate sample.bin --model runs/mlp512-synthetic-01 --clock exact
      eventsim simulate sample.bin --json --out spikes.h5
      cat sample.bin | eventsim simulate --follow - --codec nmnist
      eventsim simulate --follow udp://:5000 --codec csv --reorder 2 --json
    """
    from eventsim.cli.models import find_model
    from eventsim.cli.recordings import run_recording
    from eventsim.data.streams import is_address
    from eventsim.errors import ConfigError
    from eventsim.report import simulation, spike_file

    if follow:
        options.refuse_typed(context, {"out", "force", "weights", "device", "start"},
                             "goes with a recording; leave it out with --follow")
        run_stream(recording, model, clock, codec, sensor, as_json, **live)
        return
    options.refuse_typed(context, live, "goes with a stream; add --follow, or leave it out")
    if out is not None:
        options.refuse_existing(out, force)
    if is_address(recording):
        raise ConfigError(f"{recording}: is a stream, not a file; add --follow")
    found = find_model(model, weights, clock)
    network = found.network.to(device)
    with busy("running the network (kernels compile when first used)"):
        events, trace = run_recording(network, recording, sensor, codec, start)
    if out is not None:
        spike_file.write(out, trace, {"recording": recording, "model": str(found.path)})
    if as_json:
        print_json({"file": recording, "model": str(found.path), "weights": weights, "device": device,
                    **simulation.as_dict(network, events, trace)})
        return
    facts = simulation.facts(network, events, trace)
    show([("Recording", recording), ("Model", found), *facts], "", *simulation.screen(trace))
    if out is not None:
        show("", f"Spikes of all layers are in {out}.")

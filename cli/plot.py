"""``eventsim plot``: pictures of recordings, runs and networks."""

import functools
import pathlib

import click

from eventsim.cli import options
from eventsim.cli.nir import reading_options
from eventsim.cli.output import busy, print_json, show
from eventsim.wording import several


class NeuronsType(click.ParamType):
    """Addresses with commas between them; gives a tuple."""

    name = "N[,N...]"

    def convert(self, value, param, ctx):
        numbers = [part.strip() for part in value.split(",")]
        if not all(number.isdecimal() for number in numbers):
            self.fail(f"{value!r} is no list of neurons; write their numbers, counted from 0, e.g. 3,17")
        return tuple(map(int, numbers))


@click.group(context_settings={"help_option_names": ["-h", "--help"]}, invoke_without_command=True)
@click.pass_context
def plot(context):
    """Draw a recording, spikes, potentials, weights, curves or models.

    The name of a picture says its format: .png, .svg or .pdf. Pictures need matplotlib: pip install "eventsim[plot]".
    `eventsim plot COMMAND --help` has the options of each.

    \b
    Examples:
      eventsim plot frames sample.bin frames.png
      eventsim plot raster sample.bin raster.svg --model runs/mlp512-nmnist-01
      eventsim plot membrane sample.bin fig1.png --layer dense1 --neurons 3,17
      eventsim plot weights nmnist weights.png
      eventsim plot curves runs/* curves.pdf
      eventsim plot neurons models.png
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


def _picture(draw):
    """Declare a command of the group: ``draw`` gives a figure, a sentence of what it is, and that as plain values."""

    @functools.wraps(draw)
    def run(out, force, as_json, **given):
        from eventsim.plot import canvas

        options.check_picture(out, force)
        with busy("drawing"):
            figure, sentence, values = draw(**given)
            canvas.save(figure, out)
        if as_json:
            print_json({"out": str(out), "picture": draw.__name__, **values})
        else:
            show(f"{out}: {sentence}")

    command = options.command(run)
    plot.add_command(command)
    return command


def _written(function):
    """``--force`` and ``--json``."""
    return options.force_option(options.json_option(function))


def _of_a_run(function):
    """The options of what one recording does in a network."""
    for option in (options.threads_option, options.weights_option, options.start_option, options.recording_options,
                   options.clock_option, reading_options, options.model_option):
        function = option(function)
    return function


_out = click.argument("out", metavar="PICTURE", type=click.Path(path_type=pathlib.Path))
_span = click.option("--span", type=options.SpanType(), metavar="MS:MS",
                     help="Draw so much of the time.  [default: all of it]")


def _neurons(text):
    """``--neurons``, and what they are."""
    return click.option("--neurons", type=NeuronsType(), metavar="N[,N...]", help=f"{text}, counted from 0.")


@_picture
@click.argument("recording", metavar="FILE|-")
@_out
@click.option("--frames", "n", type=click.IntRange(1, 200), default=12, show_default=True, metavar="N",
              help="So many frames of equal time.")
@_span
@options.recording_options
@_written
def frames(recording, n, span, codec, sensor):
    """Draw the frames of a recording.

    ON events are blue, OFF events orange, and both on one pixel dark.

    \b
    Examples:
      eventsim plot frames sample.bin frames.png
      eventsim plot frames sample.bin frames.svg --frames 4 --span 0:100
    """
    from eventsim import plot as pictures
    from eventsim.data import open_recording
    from eventsim.events import Events
    from eventsim.plot import canvas

    first, length = (0, None) if span is None else (round(1000 * span[0]), round(1000 * (span[1] - span[0])))
    with open_recording(recording, sensor=sensor, codec=codec) as opened:
        events, before, after = opened.window(first, length)
    if span is not None and not len(events):
        canvas.refuse_outside(span, before, after)
    events = Events(events.t + first, events.x, events.y, events.p, events.sensor)
    figure = pictures.frames(events, n=n, span=span)
    n = len(figure.axes)
    sentence = f"{several(n, 'frame')}, {several(len(events), 'event')}"
    return figure, sentence, {"file": recording, "frames": n, "events": len(events)}


@_picture
@click.argument("recording", metavar="FILE|SPIKES|-")
@_out
@click.option("--most", type=click.IntRange(min=1), default=150, show_default=True, metavar="N",
              help="Neurons that are drawn of a layer, evenly spread.")
@_span
@_of_a_run
@_written
@click.pass_context
def raster(context, recording, most, span, **run):
    """Draw the spikes that a recording makes in every layer.

    SPIKES is a file that `simulate --out` wrote.

    \b
    Examples:
      eventsim plot raster sample.bin raster.png
      eventsim plot raster sample.bin raster.svg --model runs/smlp-synthetic-01
      eventsim simulate sample.bin --out spikes.h5
      eventsim plot raster spikes.h5 raster.png --span 50:150
    """
    from eventsim import plot as pictures
    from eventsim.plot.raster import span_of, within
    from eventsim.report import spike_file

    if spike_file.is_spike_file(recording):
        options.refuse_typed(context, run, "is for a recording; leave it out for a file of spikes")
        (layers, potentials), values = spike_file.read(recording), {"file": recording}
        figure = pictures.raster(layers, most=most, span=span, chooses=potentials is None)
    else:
        found, trace = _run(recording, **run)
        layers = {"input": trace.input, **{one.name: one.spikes for one in trace.layers if one.readout is None}}
        potentials = None if trace.readout is None else trace.layers[-1].name
        values = {"file": recording, "model": str(found.path)}
        figure = pictures.raster(trace, most=most, span=span)
    values["layers"] = [
        {"name": name, "neurons": one.n_neurons, "spikes": len(one.address[within(one, span_of(one, span))])}
        for name, one in layers.items()
    ]
    silent = "" if potentials is None else f"; {potentials} has none, its potentials are read"
    return figure, f"spikes of {', '.join(layers)}{silent}", values


@_picture
@click.argument("recording", metavar="FILE|-")
@_out
@click.option("--layer", metavar="NAME", help="Layer, as `simulate` names it.  [default: the last]")
@_neurons("Neurons of the layer")
@_span
@_of_a_run
@_written
def membrane(recording, layer, neurons, span, **run):
    """Draw potentials, threshold, spikes and input of neurons.

    Without --neurons it is the three of the layer with most spikes in the span.

    \b
    Examples:
      eventsim plot membrane sample.bin membrane.png
      eventsim plot membrane sample.bin fig1.pdf --layer dense1 --neurons 3,17
      eventsim plot membrane sample.bin exact.png --clock exact --span 100:140
    """
    from eventsim import plot as pictures

    found, trace = _run(recording, **run)
    layer = found.network.layer_names[-1] if layer is None else layer
    neurons = pictures.busiest(trace, layer, span=span).tolist() if neurons is None else list(neurons)
    figure = pictures.membrane(found.network, trace, layer, neurons, span=span)
    named = f"neuron{'s' * (len(neurons) > 1)} {', '.join(map(str, neurons))} of {layer}"
    return figure, named, {"file": recording, "model": str(found.path), "layer": layer, "neurons": neurons}


@_picture
@click.argument("run", metavar="RUN|FILE|nmnist")
@_out
@click.option("--layer", metavar="NAME", help="Layer, with its kernels or receptive fields.  [default: all layers]")
@_neurons("Neurons of the layer, or a convolution's channels")
@reading_options
@_written
def weights(run, layer, neurons):
    """Draw the weights of a network, as histograms and images.

    With --layer a dense layer on the input has an image of the weights of every neuron, and a convolution its kernels:
    some of them, evenly spread, or those of --neurons.

    \b
    Examples:
      eventsim plot weights nmnist weights.png
      eventsim plot weights nmnist kernels.png --layer conv1
      eventsim plot weights runs/mlp512-nmnist-01 fields.svg --layer dense1
    """
    from eventsim import plot as pictures
    from eventsim.cli.models import find_model
    from eventsim.errors import ConfigError

    if neurons is not None and layer is None:
        raise ConfigError("--neurons are those of a layer; add --layer, or leave it out")
    found = find_model(run)
    figure = pictures.weights(found.network, layer, neurons=neurons)
    what = f"weights of {layer or 'all layers'}"
    return figure, what, {"model": str(found.path), "layer": layer, "neurons": neurons}


@_picture
@click.argument("runs", metavar="RUN...", nargs=-1, required=True)
@_out
@_written
def curves(runs):
    """Draw the learning curves of one run or of several.

    They lie on top of each other: loss, accuracy, spikes a neuron, and the share of neurons without any.

    \b
    Examples:
      eventsim plot curves runs/mlp512-nmnist-01 curves.png
      eventsim plot curves runs/* curves.pdf
    """
    from eventsim import plot as pictures
    from eventsim.cli.models import locate_model
    from eventsim.errors import ConfigError
    from eventsim.trainer.checkpoint import describe

    histories = {run: describe(locate_model(run)[1])["history"] for run in runs}
    for run, history in histories.items():
        if history is None:
            raise ConfigError(f"{run}: says nothing of its training; name a run that `eventsim train` made")
    epochs = {run: len(history) for run, history in histories.items()}
    figure = pictures.curves(histories)
    sentence = ", ".join(f"{several(n, 'epoch')} of {run}" for run, n in epochs.items())
    return figure, sentence, {"epochs": epochs}


@_picture
@_out
@click.option("--current", type=float, default=10.0, show_default=True, metavar="UA",
              help="Step to Hodgkin and Huxley's neuron, in uA/cm2; the others get as many thresholds as it has "
                   "rheobases.")
@_written
def neurons(current):
    """Draw neuron models beside Hodgkin and Huxley's.

    All get the same current and the same spikes; over each stands what it leaves out. Hodgkin and Huxley's neuron is
    the squid's of 1952, the others are eventsim's.

    \b
    Examples:
      eventsim plot neurons models.png
      eventsim plot neurons strong.svg --current 20
    """
    from eventsim import plot as pictures
    from eventsim.plot.neurons import spike_times

    spikes = spike_times(current=current)
    figure = pictures.neurons(current=current)
    return figure, f"{len(spikes)} models of a neuron", {"current": current, "spikes": spikes}


def _run(recording, model, clock, codec, sensor, start, weights):
    """The model and its `Trace` of a recording."""
    from eventsim.cli.models import find_model
    from eventsim.cli.recordings import run_recording

    found = find_model(model, weights, clock)
    return found, run_recording(found.network, recording, sensor, codec, start)[1]

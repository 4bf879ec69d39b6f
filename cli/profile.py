"""``eventsim profile``: how sparse a network is."""

import click

from eventsim.cli import options


@options.command
@click.argument("source", metavar="FILE|DATASET")
@options.model_option
@click.option("--samples", type=click.IntRange(min=1), metavar="N", help="So many samples, evenly over the data set.")
@options.split_option
@options.recording_options
@options.start_option
@options.clock_option
@options.weights_option
@options.threads_option
@options.json_option
@click.pass_context
def profile(context, source, model, samples, split, codec, sensor, start, clock, weights, as_json):
    """Show how sparse a network is on recordings.

    For a recording, or as means over the samples of a data set (a folder, a zip, or "synthetic"): spikes of every
    layer, the share of neurons without any, the synapses that spikes crossed (SynOps) against the multiplications of a
    dense simulation (MACs), and the time.

    \b
    Examples:
      eventsim profile sample.bin
      eventsim profile nmnist/ --samples 100 --model runs/mlp512-nmnist-01
    """
    from eventsim.cli.models import find_model
    from eventsim.cli.output import print_json, show
    from eventsim.data import is_dataset

    found = find_model(model, weights, clock)
    if is_dataset(source):
        options.refuse_typed(context, ("codec", "sensor", "start"),
                             "is for a single recording; leave it out for a data set")
        facts, figures, tables = _dataset(found, source, split, samples)
    else:
        options.refuse_typed(context, ("samples", "split"), "is for a data set; leave it out for a single recording")
        facts, figures, tables = _recording(found, source, codec, sensor, start)
    if as_json:
        print_json({"source": source, "model": str(found.path), "weights": weights, "clock": found.network.clock,
                    "arch": found.network.arch.notation, **figures})
    else:
        show([("Source", source), ("Model", found), *facts], "", *tables)


def _recording(model, source, codec, sensor, start):
    from eventsim.cli.recordings import run_recording
    from eventsim.report import activity, simulation
    from eventsim.report.inputs import input_line

    network = model.network
    events, trace = run_recording(network, source, sensor, codec, start)
    figures = simulation.figures(network, events, trace)
    facts = [("Input", input_line(figures["input"]))]
    return facts, {"samples": 1, **figures}, activity.screen(activity.of_trace(trace))


def _dataset(model, source, split, samples):
    from eventsim.cli.passes import run_over
    from eventsim.report import activity, evaluation
    from eventsim.report.inputs import input_line

    dataset = model.open_data(source).part(split)
    if samples is not None and samples < len(dataset):
        dataset = dataset.subset([i * len(dataset) // samples for i in range(samples)])
    metrics = run_over(model, dataset)
    layers = activity.of_metrics(model.network, metrics)
    figures = {"split": split, **evaluation.as_dict(model.network, metrics)}
    facts = [("Samples", f"{metrics.samples} ({split}), accuracy {figures['accuracy']:.4f}"),
             ("Input", f"a sample has {input_line(figures['input'])}")]
    return facts, figures, activity.screen(layers, "Figures are means a sample")

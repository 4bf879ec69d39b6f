"""``eventsim profile``: how sparse a network is."""

import pathlib

import click

from eventsim.cli import options


@options.command
@click.argument("source", metavar="FILE|DATASET")
@options.model_option
@click.option("--samples", type=click.IntRange(min=1), metavar="N", help="So many samples, evenly over the data set.")
@options.split_option
@click.option("--backward", is_flag=True, help="Of a data set, also what training steps cost.")
@click.option("--csv", "table", type=click.Path(path_type=pathlib.Path), metavar="FILE",
              help="Of a data set, also write a line for every sample.")
@options.recording_options
@options.start_option
@options.force_option
@options.clock_option
@options.weights_option
@options.threads_option
@options.json_option
@click.pass_context
def profile(context, source, model, samples, split, backward, table, codec, sensor, start, force, clock, weights,
            as_json):
    """Show how sparse a network is on recordings.

    For a recording, or as means over the samples of a data set (a folder, a zip, or "synthetic"): spikes of every
    layer, the share of neurons without any, the synapses that spikes crossed (SynOps) against the multiplications of a
    dense simulation (MACs), and the time; how neurons fire, weights that are zero, bytes moved, and estimates of
    energy. --json has NeuroBench's names besides.

    \b
    Examples:
      eventsim profile sample.bin
      eventsim profile nmnist/ --samples 100 --model runs/mlp512-nmnist-01
      eventsim profile nmnist/ --backward --csv samples.csv
    """
    from eventsim.cli.models import find_model
    from eventsim.cli.output import print_json, show
    from eventsim.data import is_dataset
    from eventsim.report import profile as report

    if table is not None:
        options.refuse_existing(table, force)
    found = find_model(model, weights, clock)
    if is_dataset(source):
        options.refuse_typed(context, ("codec", "sensor", "start"),
                             "is for a single recording; leave it out for a data set")
        profiled, facts, figures = _dataset(found, source, split, samples, backward, table)
    else:
        options.refuse_typed(context, ("samples", "split", "backward", "table"),
                             "is for a data set; leave it out for a single recording")
        profiled, facts, figures = _recording(found, source, codec, sensor, start)
    if as_json:
        print_json({"source": source, "model": str(found.path), "weights": weights, "clock": found.network.clock,
                    "arch": found.network.arch.notation, **figures})
    else:
        show([("Source", source), ("Model", found), *facts], "", *report.screen(profiled, figures))


def _recording(model, source, codec, sensor, start):
    """The `Profile` of a recording, facts to show, and figures."""
    from eventsim.cli.recordings import run_recording
    from eventsim.profile import Profile
    from eventsim.report import profile as report
    from eventsim.report.inputs import input_line

    events, trace = run_recording(model.network, source, sensor, codec, start)
    profiled = Profile(model.network)
    profiled.add(trace)
    figures = report.as_dict(profiled, trace.binning, skipped=events.skipped)
    return profiled, [("Input", input_line(figures["input"]))], figures


def _dataset(model, source, split, samples, backward, table):
    """The same of a data set, of which ``table`` gets a line a sample."""
    from eventsim.cli.passes import run_over, train_over
    from eventsim.files import write_atomically
    from eventsim.profile import Profile
    from eventsim.report import evaluation
    from eventsim.report import profile as report
    from eventsim.report.inputs import input_line

    dataset = model.open_data(source).part(split)
    if samples is not None and samples < len(dataset):
        dataset = dataset.subset([i * len(dataset) // samples for i in range(samples)])
    profiled = Profile(model.network)
    metrics = run_over(model, dataset, profiled)
    trained = train_over(model, dataset) if backward else None
    figures = {"split": split, **evaluation.scores(metrics),
               **report.as_dict(profiled, metrics.binning, backward=trained)}
    if table is not None:
        names = [dataset.sample_name(i) for i in range(len(dataset))]
        write_atomically(table, report.samples_csv(profiled, names))
    facts = [("Samples", f"{metrics.samples} ({split}), accuracy {evaluation.accuracy_line(metrics.confusion)}"),
             ("Input", f"a sample has {input_line(figures['input'])}")]
    return profiled, facts, figures

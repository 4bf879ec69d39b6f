"""``eventsim profile``: how sparse a network is."""

import pathlib

import click

from eventsim.cli import options
from eventsim.cli.nir import reading_options


@options.command
@click.argument("source", metavar="FILE|DATASET|RUN")
@options.model_option
@reading_options
@click.option("--compare", metavar="RUN|FILE|nmnist", help="Another model, to be profiled on the same.")
@click.option("--samples", type=click.IntRange(min=1), metavar="N", help="So many samples, evenly over the data set.")
@options.split_option
@click.option("--backward", is_flag=True, help="Of a data set, also what training steps cost.")
@click.option("--html", "page", type=click.Path(path_type=pathlib.Path), metavar="FILE",
              help="Also write a report with pictures: one file that needs nothing else.")
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
def profile(context, source, model, compare, samples, split, backward, page, table, codec, sensor, start, force, clock,
            weights, as_json):
    """Show how sparse a network is on recordings.

    For a recording, or as means over the samples of a data set (a folder, a zip, or "synthetic"; of a run, those that
    it was validated on): spikes of every layer, the share of neurons without any, the synapses that spikes crossed
    (SynOps) against the multiplications of a dense simulation (MACs), and the time; how neurons fire, weights that are
    zero, bytes moved, and estimates of energy. --json has NeuroBench's names besides.

    \b
    Examples:
      eventsim profile sample.bin
      eventsim profile nmnist/ --samples 100 --model runs/mlp512-nmnist-01
      eventsim profile nmnist/ --backward --csv samples.csv
      eventsim profile nmnist/ --html report.html --compare runs/scnn-nmnist-01
    """
    from eventsim.cli import profiles
    from eventsim.cli.models import find_model, is_model
    from eventsim.cli.output import print_json, show
    from eventsim.data import is_dataset
    from eventsim.errors import ConfigError
    from eventsim.report import html
    from eventsim.trainer.loop import check_fits

    for path in (page, table):
        if path is not None:
            options.check_output(path, force)
    if page is not None and page == table:
        raise ConfigError(f"--html and --csv name the same file, {page}; name two")
    if is_model(source):
        options.refuse_typed(context, ("model",), "names a model, and so does the run in front; leave out one of them")
        model, source = source, None
    if compare is not None and table is not None:
        raise ConfigError("--csv is for one model; leave out --compare, or the table")
    models = [find_model(name, weights, clock) for name in (model, *([] if compare is None else [compare]))]
    profiles.check_models(models, backward)
    if source is not None:
        options.refuse_missing(source)
    if source is None or is_dataset(source):
        options.refuse_typed(context, ("codec", "sensor", "start"),
                             "is for a single recording; leave it out for a data set")
        dataset = profiles.some_samples(models[0].open_data(source).part(split), samples)
        for one in models:
            check_fits(one.network, dataset)
        source = models[0].data_source()["source"] if source is None else source
        found = [profiles.of_dataset(one, dataset, split, backward) for one in models]
    else:
        options.refuse_typed(context, ("samples", "split", "backward", "table"),
                             "is for a data set; leave it out for a single recording")
        found = [profiles.of_recording(one, source, codec, sensor, start) for one in models]
    if page is not None:
        html.write(page, *(one.subject(source) for one in found))
    if table is not None:
        found[0].write_table(table)
    if as_json:
        objects = [one.as_dict(source, weights) for one in found]
        print_json(objects[0] if compare is None else {"source": source, "models": objects})
        return
    for i, one in enumerate(found):
        show(*([""] if i else []), *one.screen(source))
    if page is not None:
        show("", f"The report is {page}.")

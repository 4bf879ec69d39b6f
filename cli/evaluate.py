"""``eventsim evaluate``: accuracy of a trained network on a data set."""

import click

from eventsim.cli import options
from eventsim.cli.nir import reading_options


@options.command
@click.argument("run", metavar="RUN|FILE")
@click.option("--data", metavar="PATH|synthetic", help="Data set.  [default: that of the run]")
@options.split_option
@options.clock_option
@options.weights_option
@options.devices_option
@reading_options
@options.threads_option
@options.json_option
def evaluate(run, data, split, clock, weights, device, as_json):
    """Measure the accuracy of a trained network.

    Prints the accuracy and loss, the confusion of classes, and how active and how sparse every layer was. Where a data
    set has no test set, the samples that the run's seed held out from training are the validation samples.

    \b
    Examples:
      eventsim evaluate runs/smlp-synthetic-01
      eventsim evaluate runs/mlp512-nmnist-01 --data nmnist/ --json
    """
    from eventsim.cli.models import find_model
    from eventsim.cli.output import print_json, show
    from eventsim.cli.passes import run_over
    from eventsim.report import evaluation, numbers

    model = find_model(run, weights, clock)
    splits = model.open_data(data)
    dataset = splits.part(split)
    metrics = run_over(model, dataset, device=device)
    if as_json:
        source = model.data_source(data)["source"]
        print_json({"model": str(model.path), "weights": weights, "device": device, "clock": model.network.clock,
                    "data": source, "split": split, **evaluation.as_dict(model.network, metrics)})
        return
    show([("Model", model), ("Data", splits.note), ("Samples", f"{numbers.count(len(dataset))} ({split})")], "",
         *evaluation.screen(model.network, metrics))

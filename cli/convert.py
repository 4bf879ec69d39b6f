"""``eventsim convert``: recordings and data sets from one format to another."""

import pathlib

import click

from eventsim.cli import options


@options.command
@click.argument("sources", metavar="SRC...", nargs=-1, required=True)
@click.argument("out", metavar="DST", type=click.Path(path_type=pathlib.Path))
@click.option("--to", "target", metavar="NAME", help="Format to write, where the name of DST does not say it.")
@options.recording_options
@options.force_option
@options.threads_option
@options.json_option
def convert(sources, out, target, codec, sensor, force, as_json):
    """Convert recordings, or a data set.

    SRC is a recording of any format that eventsim reads (- is standard input, then name its format with --codec), or
    a data set. DST is a file, whose name says the format, or of several recordings a folder (then --to says it). A DST
    of .h5 is an event store: one file for a whole data set, or for recordings of any length, which are read from it by
    slices. Events are converted in blocks, so memory does not grow with the recording.

    A data set is converted on all threads. What Ctrl-C or a crash leaves is gone on with by the same command.

    \b
    Examples:
      eventsim convert sample.bin sample.csv
      eventsim convert recording.raw recording.h5
      eventsim convert --to csv a.bin b.bin texts/
      eventsim convert N-MNIST/ nmnist.h5
    """

"""``eventsim info``: what an architecture, a recording, a run or a data set is."""

import pathlib

import click

from eventsim.cli import options
from eventsim.cli.nir import read_model, reading_options, refuse_options


@options.command
@click.argument("things", metavar="ARCH|FILE|RUN|MODEL|DATASET...", nargs=-1, required=True)
@reading_options
@options.recording_options
@options.json_option
@click.pass_context
def info(context, things, codec, sensor, as_json):
    """Describe an architecture, recording, run or data set.

    An architecture by its name or notation: shapes, parameters, fan-in, multiplications. 64r is a recurrent layer,
    64@d2 one with a delay of 2 ms in all synapses into it; 32c5 a convolution of 32 channels with kernels of 5x5
    (32c5s2p1d2g4: stride, padding, dilation, groups), 2a SLAYER's spiking sum pool (2au: sizes round up); and between
    layers 2p is average pooling, bn batch normalisation and do0.1 dropout. A recording: sensor, events, time. A run
    folder or model file: network, training, where it came from. A NIR file: its network. A network that comes with
    eventsim, nmnist: its model card. A file that `simulate --out` wrote: spikes. A recipe (.toml) or a network.yaml of
    slayerPytorch: its network and training. A data set (a folder, a zip, or "synthetic"): samples of every class.
    Several things are described one after the other, with --json in an object a line; what cannot be described is said
    on stderr, and the exit status is 1 then.

    \b
    Examples:
      eventsim info smlp
      eventsim info 34x34x2-64r@d2-10
      eventsim info 34x34x2-12c5-2a-64c5-2a-10
      eventsim info sample.bin
      eventsim info recordings/*.raw --json
      eventsim info runs/smlp-synthetic-01 --json
      eventsim info nmnist
      eventsim info network.yaml
    """
    from eventsim.cli.failures import MISTAKE, tell
    from eventsim.cli.output import print_json, show
    from eventsim.errors import EventsimError
    from eventsim.report import description

    status = shown = 0
    for thing in things:
        try:
            figures = _describe(description, thing, codec, sensor)
        except EventsimError as error:
            status = MISTAKE
            tell(error, debug="--debug" in (context.obj or ()))
            continue
        if as_json:
            print_json(figures)
        else:
            show(*([""] if shown else []), *description.screen(figures))
        shown += 1
    return status


def _describe(description, thing, codec, sensor):
    """The figures of whatever ``thing`` names; an existing file goes before an architecture's notation."""
    from eventsim import pretrained, recipes
    from eventsim.data import is_dataset, open_dataset, open_recording
    from eventsim.data.store import open_if_store
    from eventsim.errors import EventsimError, FormatError
    from eventsim.exchange.nir import is_nir
    from eventsim.model import PRESETS, Network
    from eventsim.report import spike_file, store
    from eventsim.report.recording import describe as describe_recording
    from eventsim.trainer.checkpoint import FILE_NAME, describe

    path = pathlib.Path(thing)
    if thing in pretrained.names() and not path.is_file() and not (path / FILE_NAME).exists():
        return description.of_model(thing, describe(pretrained.path(thing)), pretrained.card(thing))
    if is_nir(path):
        return description.of_network(thing, read_model(path))
    refuse_options(thing)
    if thing in PRESETS:
        return description.of_network(thing, Network(thing, seed=None))
    if (path / FILE_NAME).exists():
        return description.of_model(thing, describe(path))
    if path.is_file() and path.suffix in recipes.SUFFIXES:
        return description.of_recipe(recipes.load(path), thing)
    if is_dataset(thing):
        return description.of_dataset(thing, open_dataset(thing, sensor=sensor))
    if path.is_file() and path.suffix == ".h5":
        held = open_if_store(path)
        if held is None:
            return spike_file.describe(path) or description.of_model(thing, describe(path))
        if len(held) > 1:
            return store.describe(held)
    if path.exists() or thing == "-":
        with open_recording(thing, sensor=sensor, codec=codec) as recording:
            return describe_recording(recording)
    try:
        return description.of_network(thing, Network(thing, seed=None))
    except EventsimError as error:
        raise FormatError(f"{thing}: there is no such file or folder, and as an architecture it is none ({error})"
                          ) from None

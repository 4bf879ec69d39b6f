"""The command line. `main` is the ``eventsim`` script; every command has a file of its own."""

import click

from eventsim.cli.group import CommandGroup

# What `eventsim --help` says of each command, so that it need not import them.
COMMANDS = {
    "train": "Train a network on recordings.",
    "evaluate": "Measure the accuracy of a trained network.",
    "simulate": "Run one recording through a trained network.",
    "profile": "Show how sparse a network is on recordings.",
    "plot": "Draw a recording, spikes, potentials, weights, curves or models.",
    "info": "Describe an architecture, recording, run or data set.",
    "download": "Download a data set, or list those that there are.",
    "convert": "Convert recordings, or a data set.",
    "import": "Make a model of weights that SLAYER or lava-dl trained.",
    "export": "Export a network as a NIR graph.",
    "generate": "Write recordings of a synthetic event camera.",
    "bench": "Measure the engine's speed on this machine.",
    "devices": "Show the processor and the GPUs that networks can run on.",
}


@click.group(
    cls=CommandGroup,
    table=COMMANDS,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: eventsim train --arch mlp512, then eventsim simulate sample.bin",
)
@click.option("--debug", is_flag=True, expose_value=False, help="Show the traceback of an error.")
@click.version_option(package_name="eventsim", message="eventsim %(version)s")
@click.pass_context
def main(context):
    """Train and run spiking neural networks on address-event recordings, doing work only where spikes are."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())

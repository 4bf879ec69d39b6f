"""``eventsim export``: a network into the file of another format."""

import pathlib

import click

from eventsim.cli import options
from eventsim.cli.nir import writing_options


@options.command
@click.argument("model", metavar="RUN|FILE|nmnist")
@click.argument("out", metavar="OUT.nir", type=click.Path(path_type=pathlib.Path))
@writing_options
@click.option("--sample", metavar="FILE", help="Recording to measure the difference on.  [default: random spikes]")
@options.recording_options
@options.start_option
@options.force_option
@options.threads_option
@options.json_option
@click.pass_context
def export(context, model, out, nir_scheme, nir_time_unit, sample, codec, sensor, start, force, as_json):
    """Export a network as a NIR graph.

    NIR is what snnTorch, Norse, sinabs and others exchange networks in: pip install "eventsim[nir]". Batch
    normalisation is folded into the weights. NIR has no spike response model: its neurons become the nearest CubaLIF,
    and what that costs is measured in spikes, on a recording or on random ones, to
    which one number is fitted: how far a spike resets the potential. Measured is what else a file does not say,
    such as a reset that subtracts the threshold.

    \b
    Examples:
      eventsim export runs/mlp512-synthetic-01 net.nir --sample sample.bin
      eventsim export nmnist net.nir --nir-scheme snntorch
    """
    from eventsim.cli.clocks import on_clock
    from eventsim.cli.models import find_model
    from eventsim.cli.output import busy, print_json, show
    from eventsim.cli.recordings import run_recording
    from eventsim.errors import ConfigError
    from eventsim.exchange import nir

    if sample is None:
        options.refuse_typed(context, ("codec", "sensor", "start"), "goes with --sample; name a recording there")
    options.refuse_existing(out, force)
    if nir.is_nir(model):
        raise ConfigError(f"{model}: is a NIR file already; name a run, a model file or nmnist")
    network = find_model(model).network
    writing = nir.Writing(nir_scheme, nir_time_unit)
    with busy("exporting"):
        exported = nir.to_graph(network, writing)
        figures = []
        if exported.notes:
            on_clocks = [on_clock(network, ("grid", None)), *([network] if network.clock == "exact" else [])]
            spikes, *own = (nir.random_spikes(one) if sample is None else
                            run_recording(one, sample, sensor, codec, start)[1].input for one in on_clocks)
            writing = nir.fitted(network, spikes, writing, *own)
            exported = nir.to_graph(network, writing)
            figures = nir.difference(network, exported, spikes, writing, *own)
        nir.save(out, exported.graph)
    if as_json:
        print_json({"out": str(out), "model": model, "scheme": nir_scheme, "nodes": len(exported.graph.nodes),
                    "notes": exported.notes, "sample": sample, "difference": figures,
                    "unmeasured": exported.unmeasured})
        return
    for note in exported.notes:
        click.echo(f"Note: {note}.", err=True)
    if figures:
        on = "random spikes" if sample is None else sample
        text = ", ".join(f"{one['layer']} {one['spikes']:,} and {one['exported']:,} ({one['apart']:.1%} apart)"
                         for one in figures)
        read = "as others read it" if not exported.unmeasured else (
            f"read with {' and '.join(exported.unmeasured)}, which is not how {nir_scheme} reads it")
        click.echo(f"Note: spikes on {on}, of the network and of the file {read}: {text}.", err=True)
    show(f"{out}: {len(exported.graph.nodes)} nodes, {network.arch.notation}")

"""``eventsim import``: a model file of a state dict."""

import pathlib
from importlib.metadata import version

import click

from eventsim.cli import options, training

_DT = 1.0


@options.command
@click.argument("weights", metavar="WEIGHTS", type=click.Path(path_type=pathlib.Path))
@click.argument("out", metavar="MODEL.h5", type=click.Path(path_type=pathlib.Path))
@click.option("--network", "described", required=True, metavar="YAML|RECIPE|ARCH",
              help="What the weights are of: slayerPytorch's network.yaml, a recipe, or an architecture.")
@click.option("--arch", metavar="NAME|NOTATION", help="The architecture, where the network.yaml has no layers.")
@training.neuron_options
@training.neuron_option("--dt", type=float, metavar="MS",
                        help=f"Length of a tick.  [default: the file's, else {_DT:g}]")
@options.force_option
@options.json_option
@click.pass_context
def import_(context, weights, out, described, arch, dt, force, as_json, **neuron):
    """Make a model of weights that SLAYER or lava-dl trained.

    WEIGHTS is a state dict: .npz, .safetensors, or with torch installed .pt; no pickle is ever executed. Layers take
    arrays in order, by shape: those of slayerPytorch's dense, conv, pool and delay, and those of lava-dl's blocks,
    weight normalisation included. An array that has no place is refused. Everything takes MODEL.h5 as --model.

    Ticks and psps are those of eventsim, which cuts no kernel off. Of lava-dl's CUBA blocks, give the threshold
    (--theta): decays are in the file, quantisation and the tick that each block adds are not taken over.

    \b
    Examples:
      eventsim import trained.npz model.h5 --network network.yaml
      eventsim import trained.pt model.h5 --network 34x34x2-512-10 --tau-syn 1
      eventsim import cuba.safetensors cuba.h5 --network 700-256-20 --theta 1.25
    """
    from eventsim import checks, recipes
    from eventsim.cli.output import print_json, show
    from eventsim.errors import ConfigError
    from eventsim.exchange import slayer
    from eventsim.model import Network
    from eventsim.model.neurons import as_config, from_config
    from eventsim.report.neurons import neuron_line
    from eventsim.report.tables import plain_table
    from eventsim.trainer import save

    if out.suffix != ".h5":
        raise ConfigError(f"{out}: a model's name ends in .h5; name it so")
    options.refuse_existing(out, force)
    is_recipe = described in recipes.names() or pathlib.Path(described).suffix in recipes.SUFFIXES
    plan = recipes.load(described) if is_recipe else None
    network, start, _ = training.starting_point(plan, described)
    if arch is not None:
        network["arch"] = arch
    if "arch" not in network:
        raise ConfigError(f"{described}: has no layers, so it says no architecture; name one with --arch")
    network["dt"] = checks.milliseconds("dt", network.get("dt", _DT) if dt is None else dt)
    state = slayer.parse_state(weights, slayer.read_arrays(weights))
    typed = {name: value for name, value in neuron.items() if options.typed(context, name)}
    start = _of_file(state.neuron(network["dt"]), start, typed, weights)
    made = Network(**network, neuron=from_config(training.neuron_of(start, typed)), seed=None)
    placed = slayer.set_weights(made, state)
    save(out, made, provenance={"command": ["eventsim", *(context.obj or [])], "package": version("eventsim"),
                                "weights": str(weights)})
    if as_json:
        print_json({"model": str(out), "arch": made.arch.notation, "neuron": as_config(made.neuron), "dt": made.dt,
                    "n_ticks": made.n_ticks, "weights": made.n_weights, "placed": [vars(one) for one in placed],
                    "notes": list(plan.notes) if plan else []})
        return
    rows = [(one.layer, one.what, one.name, "x".join(map(str, one.shape))) for one in placed]
    show([("Model", str(out)), ("Network", made.arch.notation), ("Neuron", neuron_line(as_config(made.neuron))),
          ("Clock", f"ticks of {made.dt:g} ms")], "", plain_table(("layer", "", "from", "shape"), rows), "",
         f"What to type next: eventsim simulate FILE --model {out}")


def _of_file(found, start, typed, weights):
    """Where the neuron starts: what the file of weights says goes before what is described."""
    from eventsim.errors import ConfigError

    if found is None:
        return start
    if "theta" not in typed:
        raise ConfigError(f"{weights}: is of lava-dl's CUBA neurons, and a state dict has no threshold; give it with "
                          "--theta")
    return found

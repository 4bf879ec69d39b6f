"""``eventsim train``: a new run, or the rest of an interrupted one."""

import pathlib
import shlex
from importlib.metadata import version

import click

from eventsim import recipes
from eventsim.cli import options, training
from eventsim.cli.failures import Stopped
from eventsim.cli.output import print_json, show
from eventsim.cli.progress import TrainingScreen
from eventsim.cli.runs import SYNTHETIC, data_source, new_run, open_source
from eventsim.engine.backward import check_trainable
from eventsim.engine.gpu.devices import check_joinable, on_device, open_devices
from eventsim.errors import ConfigError
from eventsim.model import PRESETS, Network
from eventsim.model.network import CLOCKS, INPUT_MODES
from eventsim.model.neurons import from_config
from eventsim.report import numbers
from eventsim.report.training import backward_share
from eventsim.trainer import Interrupted, Trainer, TrainingConfig
from eventsim.trainer.checkpoint import FILE_NAME
from eventsim.trainer.config import chosen_over
from eventsim.trainer.logs import ALWAYS, LOGS
from eventsim.trainer.loop import check_fits
from eventsim.trainer.losses import DEFAULTS


@options.command
@click.option("--arch", default="smlp", show_default=True, metavar="NAME|NOTATION",
              help=f"{', '.join(PRESETS)}, or layers such as 34x34x2-500-10.")
@click.option("--recipe", metavar="NAME|FILE",
              help=f"All settings from a recipe, but those typed: {', '.join(recipes.names())}, a .toml file, or a "
                   "network.yaml of slayerPytorch.")
@click.option("--show", "show_recipe", is_flag=True, help="Print the recipe instead.")
@click.option("--data", default=SYNTHETIC, show_default=True, metavar="PATH|synthetic",
              help="N-MNIST folder or zip, or generated digits.")
@click.option("--samples", type=click.IntRange(min=1), metavar="N", help="Synthetic samples to train on.")
@click.option("--validation-samples", type=click.IntRange(min=1), metavar="N", help="And to validate on.")
@training.setting_options
@training.neuron_options
@training.neuron_option("--dt", type=float, default=1.0, show_default=True, metavar="MS", help="Length of a tick.")
@training.neuron_option("--clock", type=click.Choice(CLOCKS), default="grid", show_default=True,
                        help="Spikes on ticks, or in continuous time.")
@training.neuron_option("--input-mode", type=click.Choice(INPUT_MODES), default="or", show_default=True,
                        help="Events that share tick and pixel: one spike, or one each.")
@click.option("--out", type=click.Path(path_type=pathlib.Path), metavar="FOLDER",
              help="Run folder.  [default: runs/<arch>-<data>-<nn>]")
@click.option("--resume", type=click.Path(path_type=pathlib.Path), metavar="RUN",
              help="Go on with an interrupted run; all else comes from it.")
@click.option("--tensorboard", is_flag=True, help="Write event files for TensorBoard into the run folder, too.")
@options.devices_option
@options.threads_option
@options.json_option
@click.pass_context
def train(context, recipe, show_recipe, resume, tensorboard, device, as_json, **choices):
    """Train a network on recordings.

    Every default of a named architecture is one that it trains well with; a recipe has every setting, and says what it
    gave. Ctrl-C stops after the batch that is running; --resume then goes on to the same bits as if nothing had
    happened.

    \b
    Examples:
      eventsim train
      eventsim train --arch mlp512 --data nmnist/ --epochs 10 --seed 1
      eventsim train --recipe nmnist-mlp500 --show
      eventsim train --recipe nmnist-mlp500 --data nmnist/ --seed 1
      eventsim train --recipe network.yaml --data nmnist/ --epochs 5
      eventsim train --shift 1.5 --jitter 2 --drop 0.05 --rate-high 5
      eventsim train --optimizer nadam --schedule step --step-at 2 --warmup 0.2
      eventsim train --epochs 20 --tensorboard
      eventsim train --device gpus --batch-size 64
      eventsim train --resume runs/mlp512-nmnist-01
    """
    wished = ["tensorboard"] if tensorboard else []
    if resume is not None:
        options.refuse_typed(context, {"recipe", "show_recipe", *choices} - {"data"}, "cannot be changed in a run that "
                             "goes on; leave it out beside --resume, or start a new run")
        moved = choices["data"] if options.typed(context, "data") else None
        _resume(resume, moved, wished, device, as_json)
        return
    if show_recipe and recipe is None:
        raise ConfigError(f"--show prints a recipe; name it with --recipe, one of {', '.join(recipes.names())}")
    plan = None if recipe is None else recipes.load(recipe)
    if show_recipe:
        print_json(plan.as_dict()) if as_json else click.echo(plan.text, nl=False)
        return
    places = {name: choices.pop(name) for name in ("data", "samples", "validation_samples", "out")}
    network, neuron, settings = training.starting_point(plan, choices["arch"])
    typed = {name: value for name, value in choices.items() if options.typed(context, name)}
    if "readout" in typed:  # a loss of the starting point is on spikes
        typed.setdefault("loss", DEFAULTS["potentials"])
    network |= {name: typed.pop(name) for name in recipes.TABLES["network"] if name in typed}
    if "arch" not in network:
        raise ConfigError(f"{recipe}: has no layers, so it says no architecture; name one with --arch")
    for note in plan.notes if plan is not None else ():
        click.echo(f"{recipe}: {note}", err=True)
    own_neuron, own_settings = training.split_choices(typed)
    name = choices["arch"] if plan is None else plan.name
    provenance = {"command": ["eventsim", *(context.obj or [])], "package": version("eventsim"),
                  "arch": network["arch"]}
    if plan is not None:
        provenance["recipe"] = f"{plan.name}, version {plan.version}"
    _start(wished, device, as_json, name, provenance, network, training.neuron_of(neuron, own_neuron),
           chosen_over(settings, own_settings), **places)


def _start(wished, device, as_json, name, provenance, network, neuron, settings, *, data, samples, validation_samples,
           out):
    """Train from the beginning; ``wished`` names logs beside those of every run."""
    logs, devices = _logs(wished), open_devices(device)
    check_joinable(devices)
    seed = settings.get("seed", TrainingConfig.seed)
    source = data_source(data, seed, samples, validation_samples)
    network = on_device(Network(**network, neuron=from_config(neuron), seed=seed), devices[0])
    check_trainable(network)
    splits = open_source(source)
    if splits.train is not None:
        check_fits(network, splits.train)
    with new_run(out, name, data) as folder:
        provenance |= {"data": source, "logs": wished}
        trainer = Trainer(network, device=device, out=folder, provenance=provenance, **settings)
        _fit(trainer, splits, logs, as_json)


def _logs(names):
    return [LOGS[name]() for name in names]


def _resume(run, moved, wished, device, as_json):
    """Train what is left of a run; ``moved`` is where its data lies now, if elsewhere, ``wished`` names more logs."""
    trainer = Trainer.resume(run, device)
    source = trainer.provenance.get("data")
    if moved is not None:
        source = data_source(moved, trainer.config.seed) if source is None else source | {
            "source": data_source(moved, 0)["source"]
        }
    if source is None:
        raise ConfigError(f"{run}: does not say what data it was trained on; name it with --data")
    trainer.provenance["data"] = source
    wished = {*wished, *trainer.provenance.get("logs", ())}
    wished = [name for name, log in LOGS.items()
              if name not in ALWAYS and (name in wished or (trainer.out / log.file_name).exists())]
    trainer.provenance["logs"] = wished
    _fit(trainer, open_source(source), _logs(wished), as_json)


def _fit(trainer, splits, logs, as_json):
    run, epochs = trainer.out, trainer.config.epochs
    already_done = trainer.epoch >= epochs
    if already_done:
        for log in (*trainer.own_logs(), *logs):
            log.start(trainer, 0)
    else:
        try:
            with TrainingScreen() as screen:
                screen.facts(training.run_facts(trainer, splits))
                trainer.fit(splits, [*logs, screen])
        except Interrupted as stop:
            raise Stopped(f"{stop}; the checkpoint is {run / FILE_NAME}, go on with "
                          f"`eventsim train --resume {shlex.quote(str(run))}`") from None
        except KeyboardInterrupt:
            raise Stopped(_lost(run)) from None
    last = trainer.history[-1]
    if as_json:
        print_json({"run": str(run), "arch": trainer.network.arch.notation, "config": trainer.config.as_dict(),
                    "epochs": trainer.epoch, "accuracy": last.get("val_accuracy"), "history": trainer.history})
        return
    verb = "was finished already" if already_done else "is trained"
    accuracy = f"validation accuracy {last['val_accuracy']:.4f}" if "val_accuracy" in last else "no validation data"
    share = backward_share(last)
    show("", f"The run {verb}: {run}",
         f"{numbers.several(epochs, 'epoch')}, {accuracy}, training accuracy {last['accuracy']:.4f}",
         *([f"The backward pass visited {share}"] if share else []), "",
         "What to type next:", *(f"  {line}" for line in training.next_steps(run, trainer.provenance, splits)))


def _lost(run):
    if (run / FILE_NAME).exists():
        return (f"interrupted at once; the last checkpoint is {run / FILE_NAME}, go on with "
                f"`eventsim train --resume {shlex.quote(str(run))}`")
    return "interrupted before the first checkpoint; nothing was kept"

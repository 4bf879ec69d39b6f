"""Settings of a training run as options, and what is said about the run."""

import os
import shlex
from dataclasses import fields

import click

from eventsim.cli import options
from eventsim.cli.runs import SYNTHETIC
from eventsim.model import SRM
from eventsim.report import numbers
from eventsim.trainer import TrainingConfig
from eventsim.trainer.losses import LOSSES
from eventsim.trainer.optimizers import OPTIMIZERS
from eventsim.trainer.schedules import SCHEDULES

_NEURON_FIELDS = [field.name for field in fields(SRM)]
_UNITS = {"tau_syn": "MS", "tau_ref": "MS", "t_abs": "MS"}
_NEURON_HELP = {
    "theta": "Threshold.",
    "tau_syn": "Time of the psp's peak.",
    "tau_ref": "Time of the refractory response's peak.",
    "scale_ref": "Refractory response, in thresholds.",
    "t_abs": "Dead time after a spike (default: one tick).",
    "tau_rho": "Width of the surrogate, in thresholds.",
    "scale_rho": "Scale of the surrogate.",
}


def _setting(flag, name, help, **extra):
    return click.option(flag, name, default=getattr(TrainingConfig, name), show_default=True, help=help, **extra)


def setting_options(function):
    """Options for the fields of `TrainingConfig`."""
    for option in reversed((
        _setting("--epochs", "epochs", "Passes over the training samples.", type=int, metavar="N"),
        click.option("--lr", "learning_rate", type=float, metavar="RATE",
                     help=f"Learning rate.  [default: the architecture's, else {TrainingConfig.learning_rate:g}]"),
        _setting("--batch-size", "batch_size", "Samples a step.", type=int, metavar="N"),
        _setting("--schedule", "schedule", "Learning rate over the run.", type=click.Choice(list(SCHEDULES))),
        _setting("--optimizer", "optimizer", "Optimiser.", type=click.Choice(list(OPTIMIZERS))),
        _setting("--loss", "loss", "Loss on the output spikes.", type=click.Choice(list(LOSSES))),
        _setting("--true-count", "true_count", "Wanted spikes of the class.", type=float, metavar="N"),
        _setting("--false-count", "false_count", "Wanted spikes of the others.", type=float, metavar="N"),
        _setting("--support", "support", "Where the surrogate counts, in thresholds; inf is SLAYER.",
                 type=options.SupportType(), metavar="auto|inf|X"),
        _setting("--shift", "shift", "Move samples by up to so many pixels.", type=float, metavar="PX"),
        _setting("--rotate", "rotate", "Turn samples by up to so many degrees.", type=float, metavar="DEG"),
        _setting("--scale", "scale", "Scale samples by up to this share.", type=float, metavar="X"),
        _setting("--seed", "seed", "Of weights, order and held-out or synthetic samples.", type=int, metavar="N"),
        click.option("--no-calibrate", "calibrate", flag_value=False, default=True,
                     help="Do not scale the start weights until every layer fires."),
    )):
        function = option(function)
    return function


def neuron_options(function):
    """Options for the fields of the neuron."""
    for name in reversed(_NEURON_FIELDS):
        flag, unit = "--" + name.replace("_", "-"), _UNITS.get(name, "X")
        function = click.option(flag, name, type=float, metavar=unit, help=_NEURON_HELP[name])(function)
    return function


def split_choices(choices):
    """``(neuron, settings)``: the neuron parameters that were chosen, and the fields of `TrainingConfig`."""
    neuron = {name: choices[name] for name in _NEURON_FIELDS if choices[name] is not None}
    return neuron, {name: value for name, value in choices.items() if name not in _NEURON_FIELDS}


def run_facts(trainer, splits):
    """Names and values of what is trained, on what, and how."""
    network, config, neuron = trainer.network, trainer.config, trainer.network.neuron
    validation = 0 if splits.validation is None else len(splits.validation)
    yield "Network", f"{network.arch.notation}, {numbers.large(network.n_weights)} weights"
    yield "Neuron", (f"SRM, threshold {neuron.theta:g}, tau_syn {neuron.tau_syn:g} ms, tau_ref {neuron.tau_ref:g} ms, "
                     f"{'exact clock' if network.clock == 'exact' else f'ticks of {network.dt:g} ms'}")
    yield "Data", splits.note
    yield "Samples", f"{numbers.count(len(splits.train or []))} to train on, {numbers.count(validation)} to validate on"
    yield "Training", (f"{numbers.several(config.epochs, 'epoch')}, batch {config.batch_size}, {config.optimizer} "
                       f"{config.learning_rate:g} {config.schedule}, {config.loss} {config.true_count:g}/"
                       f"{config.false_count:g}, seed {config.seed}")
    if config.make_augment():
        yield "Augment", f"shift {config.shift:g} px, turn {config.rotate:g} degrees, scale {config.scale:g}"
    yield "Run", str(trainer.out)


def _short(path):
    """A path as one would type it here."""
    relative = os.path.relpath(path)
    return shlex.quote(path if relative.startswith(os.pardir) else relative)


def next_steps(run, provenance, splits):
    """Commands that make sense after a training."""
    data = provenance["data"]["source"]
    run = shlex.quote(str(run))
    if data == SYNTHETIC:
        yield f"eventsim generate sample.bin && eventsim simulate sample.bin --model {run}"
    elif splits.validation is not None:
        sample = os.path.join(data, splits.validation.sample_name(0))
        if os.path.isfile(sample):
            yield f"eventsim simulate {_short(sample)} --model {run}"
    yield f"eventsim profile {data if data == SYNTHETIC else _short(data)} --model {run}"
    yield f"eventsim evaluate {run}"

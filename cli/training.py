"""Settings of a training run as options, and what is said about the run."""

import os
import shlex

import click

from eventsim.cli import options
from eventsim.cli.runs import SYNTHETIC
from eventsim.model import PRESETS
from eventsim.model.neurons import NEURONS, as_config, parameters
from eventsim.model.neurons.li import READOUTS
from eventsim.model.neurons.lif import RESETS
from eventsim.report import numbers, training
from eventsim.report.neurons import neuron_line
from eventsim.trainer.config import default_of
from eventsim.trainer.losses import LOSSES
from eventsim.trainer.optimizers import OPTIMIZERS
from eventsim.trainer.schedules import SCHEDULES

_NEURON_FIELDS = parameters()
_UNITS = {"tau_syn": "MS", "tau_ref": "MS", "tau_mem": "MS", "t_abs": "MS"}
_FLAG = {"is_flag": True, "default": None}
_NEURON_TYPES = {"reset": {"type": click.Choice(RESETS)}, "late": _FLAG, "strict": _FLAG}
_NEURON_HELP = {
    "theta": "Threshold.",
    "tau_syn": "Time of the psp's peak; of cubalif, in which the current decays.",
    "tau_mem": "Of lif and cubalif: in which the potential decays; inf: never.",
    "reset": "Of lif and cubalif: what a spike does to the potential.",
    "v_reset": "What a hard reset leaves.",
    "v_drop": "What the reset subtract takes off.  [default: the threshold]",
    "strict": "Of lif and cubalif: the threshold must be exceeded.",
    "late": "Of cubalif: currents act from the next tick on.",
    "tau_ref": "Time of the refractory response's peak.",
    "scale_ref": "Refractory response, in thresholds.",
    "t_abs": "Dead time after a spike (default: one tick).",
    "tau_rho": "Width of the surrogate, in thresholds.",
    "scale_rho": "Scale of the surrogate.",
}


_SHOWN = ("theta", "tau_mem", "tau_syn", "tau_ref", "reset")  # of a neuron, when a run begins
_AUGMENT = "Augmentation, drawn anew in every epoch"
_RATES = "Bounds on the mean rate of each hidden layer, kept by a penalty"
# Settings that some named architecture has a value of its own for.
_NAMED = {"learning_rate", *(name for preset in PRESETS.values() for name in preset.training)}


def _setting(flag, name, help, heading="Training", **extra):
    """An option for a field of `TrainingConfig`; it is None where the user says nothing."""
    default = default_of(name)
    shown = f"{default:g}" if isinstance(default, float) else str(default)
    if name in _NAMED:
        shown = "the architecture's" + (f", else {shown}" if default else "")
    if default or isinstance(default, int) or name in _NAMED:
        help += f"  [default: {shown}]"
    return click.option(flag, name, cls=options.Option, heading=heading, help=help, **extra)


def _joined(context, parameter, values):
    """What an option gave that may be repeated, as one tuple; None where the user says nothing."""
    return sum(values, ()) or None


def setting_options(function):
    """Options for the fields of `TrainingConfig`."""
    for option in reversed((
        _setting("--epochs", "epochs", "Passes over the training samples.", type=int, metavar="N"),
        _setting("--batch-size", "batch_size", "Samples a step.", type=int, metavar="N"),
        _setting("--lr", "learning_rate", "Learning rate.", type=float, metavar="RATE"),
        _setting("--schedule", "schedule", "Learning rate over the run.", type=click.Choice(list(SCHEDULES))),
        _setting("--step-at", "step_epochs", "Of the schedule step: epochs when the rate falls, e.g. 30,60.",
                 multiple=True, type=options.EpochsType(), metavar="EPOCH", callback=_joined),
        _setting("--step-factor", "step_factor", "Of the schedule step: what the rate is multiplied with.",
                 type=float, metavar="X"),
        _setting("--warmup", "warmup", "Epochs over which the rate rises from zero, before the schedule.",
                 type=float, metavar="EPOCHS"),
        _setting("--optimizer", "optimizer", "Optimiser.", type=click.Choice(list(OPTIMIZERS))),
        _setting("--momentum", "momentum", "Momentum, of the optimiser sgd.", type=float, metavar="X"),
        _setting("--weight-decay", "weight_decay", "Weight decay, of the optimiser adamw.", type=float, metavar="X"),
        _setting("--loss", "loss", "On output spikes spike_count, spike_count_slayer or spike_time; with --readout "
                 "cross_entropy or potential_error.", type=click.Choice(list(LOSSES)), metavar="NAME"),
        _setting("--true-count", "true_count", "Wanted spikes of the class.", type=float, metavar="N"),
        _setting("--false-count", "false_count", "Wanted spikes of the others.", type=float, metavar="N"),
        _setting("--loss-window", "loss_window", "Count only output spikes of these ms.", type=options.SpanType(),
                 metavar="MS:MS"),
        _setting("--support", "support", "Where the surrogate counts, in thresholds; inf is SLAYER.",
                 type=options.SupportType(), metavar="auto|inf|X"),
        _setting("--seed", "seed", "Of weights, order and held-out or synthetic samples.", type=int, metavar="N"),
        click.option("--no-calibrate", "calibrate", cls=options.Option, heading="Training", flag_value=False,
                     default=True, help="Do not scale the start weights until every layer fires."),
        _setting("--rate-low", "rate_low", "Least spikes a neuron and sample.", _RATES, type=float, metavar="N"),
        _setting("--rate-high", "rate_high", "Most.", _RATES, type=float, metavar="N"),
        _setting("--rate-weight", "rate_weight", "Of the penalty.", _RATES, type=float, metavar="X"),
        _setting("--shift", "shift", "Move samples by up to so many pixels.", _AUGMENT, type=float, metavar="PX"),
        _setting("--rotate", "rotate", "Turn samples by up to so many degrees.", _AUGMENT, type=float, metavar="DEG"),
        _setting("--scale", "scale", "Scale samples by up to this share.", _AUGMENT, type=float, metavar="X"),
        _setting("--jitter", "jitter", "Move every spike in time, with this standard deviation.", _AUGMENT, type=float,
                 metavar="MS"),
        _setting("--drop", "drop", "Drop this share of the spikes at random.", _AUGMENT, type=float, metavar="X"),
    )):
        function = option(function)
    return function


def neuron_option(*names, **settings):
    """An option under the heading of the neuron and its clock."""
    return click.option(*names, cls=options.Option, heading="Neuron and clock", **settings)


def neuron_options(function):
    """Options for the fields of the neuron, and what is read of the last layer's."""
    tau = neuron_option("--readout-tau", type=float, metavar="MS",
                        help="With --readout: in which those potentials decay; inf: never.  [default: --tau-mem, or 20 "
                             "where neurons have none]")
    read = neuron_option("--readout", type=click.Choice(READOUTS),
                         help="Neurons of the last layer never spike, and their potential is read: its mean, the last, "
                              "or the largest.  [default: their spikes are counted]")
    function = read(tau(function))
    for name in reversed(_NEURON_FIELDS):
        kind = _NEURON_TYPES.get(name, {"type": float, "metavar": _UNITS.get(name, "X")})
        function = neuron_option("--" + name.replace("_", "-"), name, help=_NEURON_HELP[name], **kind)(function)
    return neuron_option("--neuron", "kind", type=click.Choice(list(NEURONS)), default="srm", show_default=True,
                         help="Model of the neurons: spike response, leaky integrate-and-fire, or that with a current "
                              "in its synapses.")(function)


def starting_point(recipe, arch):
    """``(network, neuron, settings)``, a dict each: what a `Recipe` says, or without one what goes with ``arch``."""
    if recipe is not None:
        return dict(recipe.network), recipe.neuron, recipe.training
    preset = PRESETS.get(arch)
    if preset is None:
        return {"arch": arch}, {}, {}
    return {"arch": arch}, preset.neuron, {"learning_rate": preset.learning_rate, **preset.training}


def split_choices(chosen):
    """``(neuron, settings)``: the neuron parameters and the fields of `TrainingConfig` among what was chosen."""
    neuron = {name: value for name, value in chosen.items() if name in ("kind", *_NEURON_FIELDS)}
    return neuron, {name: value for name, value in chosen.items() if name not in neuron}


def neuron_of(start, chosen) -> dict:
    """The neuron of a starting point with what was chosen; one of another kind has nothing of the starting point's."""
    if chosen.get("kind", start.get("kind", "srm")) != start.get("kind", "srm"):
        start = {}
    return {"kind": "srm"} | start | chosen


def run_facts(trainer, splits):
    """Names and values of what is trained, on what, and how."""
    network, config = trainer.network, trainer.config
    validation = 0 if splits.validation is None else len(splits.validation)
    yield "Network", f"{network.arch.notation}, {numbers.large(network.n_weights)} weights"
    clock = "exact clock" if network.clock == "exact" else f"ticks of {network.dt:g} ms"
    yield "Neuron", f"{neuron_line(as_config(network.neuron), _SHOWN)}, {clock}"
    if network.readout is not None:
        yield "Read-out", neuron_line(as_config(network.readout))
    yield "Data", splits.note
    yield "Samples", f"{numbers.count(len(splits.train or []))} to train on, {numbers.count(validation)} to validate on"
    settings = config.as_dict()
    yield "Training", f"{numbers.several(config.epochs, 'epoch')}, {training.method(settings)}, seed {config.seed}"
    yield from training.extras(settings)
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

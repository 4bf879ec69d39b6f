"""slayerPytorch's ``network.yaml`` as settings of a `Network`, its neuron and its training.

Keys as in https://github.com/bamsumit/slayerPytorch, ``example/*/network.yaml`` and ``src/auto/loihi.py``, and of the
C++ SLAYER before it. Times are ms there, too.
"""

import re
from dataclasses import dataclass

from eventsim import files
from eventsim.errors import ConfigError, FormatError
from eventsim.exchange.slayer.tables import Table, read_yaml, shown
from eventsim.model import SRM, arch
from eventsim.trainer import TrainingConfig

_NEURON = {"theta": "theta", "tauSr": "tau_syn", "tauRef": "tau_ref", "scaleRef": "scale_ref", "tauRho": "tau_rho",
           "scaleRho": "scale_rho"}
_LOSSES = {"NumSpikes": "spike_count_slayer", "SpikeTime": "spike_time"}
_OPTIMIZERS = {"ADAM": {"optimizer": "adam"}, "NADAM": {"optimizer": "nadam"},
               "GRADIENTDESCENT": {"optimizer": "sgd", "momentum": 0.0}}
_CONV = re.compile(r"(\d+)c(\d+)(z?)", re.ASCII)
_CONV_OPTIONS = {"stride": "s", "padding": "p", "dilation": "d", "groups": "g"}


@dataclass(frozen=True)
class Description:
    """What a ``network.yaml`` says, by our names.

    network : arguments of `Network`, without ``arch`` where the file has no layers; neuron : kind and parameters;
        training : fields of `TrainingConfig`
    notes : a line for everything that the file says and eventsim does otherwise or elsewhere
    """

    network: dict
    neuron: dict
    training: dict
    notes: tuple[str, ...]


def read_description(path) -> Description:
    """Read a ``network.yaml``; raises `FormatError` for every key that is unknown or asks for what is not there."""
    path = files.as_path(path)
    table = Table(path, "", read_yaml(path))
    notes = []
    for key in ("simulation", "neuron"):
        if key not in table:
            raise table.wrong(key, "is missing; every network.yaml of slayerPytorch has it")
    network, duration = _simulation(table.table("simulation"), notes)
    neuron = _neuron(table.table("neuron"))
    layers = table.take("layer")
    training = _training(table.table("training"), duration, notes)
    seed = table.number("seed")
    if seed is not None:
        if not (seed.is_integer() and 0 <= seed < 2**31):
            raise table.wrong("seed", f"must be a whole number from 0, got {seed:g}")
        training["seed"] = int(seed)
    _pass_over(table, notes, {"preferredGPU": "chooses a GPU", "profile": "asks for times, which are always shown"})
    table.close()
    try:
        if layers is not None:
            network = {"arch": _arch(table, layers, notes), **network}
        SRM(**neuron)
        TrainingConfig(**training)
    except ConfigError as error:
        raise FormatError(f"{path}: {error}") from None
    return Description(network, neuron, training, tuple(notes))


def padded_pools(architecture):
    """(name, given shape, window) of pools whose windows do not fill what is given: SLAYER pads that with zeros."""
    return [(f"pool{i}", field.given, field.window) for i, field in enumerate(architecture.layers, 1)
            if field.kind == "pool" and any(n % field.window.size for n in (field.given.height, field.given.width))]


def fills_up(n: int, size: int) -> bool:
    """Whether windows fill ``n`` pixels with the n % size that slayerPytorch adds; else its windows mix channels."""
    return n % size in (0, size - n % size)


def _pass_over(table, notes, reasons):
    """Keys that change no result: they are named."""
    for key, why in reasons.items():
        if key in table:
            table.take(key)
            notes.append(f"{table.name + '.' if table.name else ''}{key} {why}")
        else:
            table.take(key)


def _simulation(table, notes):
    """Arguments of `Network`, and the length of a sample in ms."""
    dt, duration = table.number("Ts"), table.number("tSample")
    for key, value in (("Ts", dt), ("tSample", duration)):
        if value is None or not 0 < value <= 1e9:
            raise table.wrong(key, "must be a time in ms above 0, got "
                              f"{'nothing' if value is None else format(value, 'g')}")
    n_ticks = round(duration / dt)
    if not 0 < n_ticks < 2**31:
        raise table.wrong("tSample", f"of {duration:g} ms is {duration / dt:g} ticks of {dt:g} ms; write at least one, "
                          "and fewer than 2^31")
    _pass_over(table, notes, {"nSample": "is not used, by slayerPytorch neither; --batch-size sets samples a step"})
    table.close()
    return {"dt": dt, "n_ticks": n_ticks}, duration


def _neuron(table):
    kind = table.text("type", "SRMALPHA")
    if kind != "SRMALPHA":
        raise table.wrong("type", f"is {shown(kind)}, and eventsim has SLAYER's SRMALPHA; Loihi's fixed-point neurons "
                          "are not among its models")
    neuron = {ours: table.number(theirs) for theirs, ours in _NEURON.items()}
    table.close()
    missing = [theirs for theirs, ours in _NEURON.items() if neuron[ours] is None]
    if missing:
        raise table.wrong(missing[0], "is missing; slayerPytorch has no default for it")
    return neuron


def _arch(table, layers, notes):
    """The notation of a list of layers."""
    if not isinstance(layers, list) or len(layers) < 2:
        raise table.wrong("layer", f"must be a list of the input and at least one layer, got {shown(layers)}")
    fields = []
    for i, entry in enumerate(layers):
        layer = Table(table.source, f"layer[{i}]", entry)
        fields.append(_field(layer, i == 0))
        scale = layer.number("wScale")
        if scale not in (None, 1.0):
            notes.append(f"{layer.name}.wScale {scale:g} is not used: start weights are scaled until every layer fires")
        if layer.number("sigma", 0.0) != 0:
            raise layer.wrong("sigma", "asks for lateral inhibition, which eventsim has not; leave it out or write 0")
        if layer.take("delay") not in (False, None):
            notes.append(f"{layer.name}.delay is not learned here; delays come with weights (eventsim import)")
        layer.take("maxDelay")
        if layer.take("neuron") is not None:
            raise layer.wrong("neuron", "gives a layer neurons of its own, and all layers have one model here")
        layer.close()
        if fields[-1].endswith("a"):
            fields[-1] += _rounding(layer, arch.parse("-".join(fields)))
    return arch.parse("-".join(fields)).notation


def _rounding(layer, architecture):
    """ "u" where the last layer, a pool, is padded by slayerPytorch."""
    given, window = architecture.layers[-1].given, architecture.layers[-1].window
    if all(n % window.size == 0 for n in (given.height, given.width)):
        return ""
    if all(fills_up(n, window.size) for n in (given.height, given.width)):
        return "u"
    raise layer.wrong("dim", f"pools {given} by {window.size}, which slayerPytorch pads by too few or too many zeros, "
                      "so that its windows mix channels; there is no such layer here")


def _field(layer, is_input):
    """The notation of one layer."""
    dim = layer.take("dim")
    text = str(dim).strip().lower() if isinstance(dim, str | int) and not isinstance(dim, bool) else ""
    if is_input:
        if re.fullmatch(r"\d+(x\d+){0,2}", text, re.ASCII):
            return text + "x1" * (text.count("x") == 1)
        raise layer.wrong("dim", f"must be the input, such as 34x34x2 or 250, got {shown(dim)}")
    if found := _CONV.fullmatch(text):
        options = {name: layer.number(name) for name in _CONV_OPTIONS}
        if found[3] and options["padding"] is None:
            options["padding"] = float(int(found[2][:9]) // 2)
        for name, value in options.items():
            if value is not None and not (value.is_integer() and 0 <= value < 1e9):
                raise layer.wrong(name, f"must be a whole number, got {value:g}")
        parts = (f"{_CONV_OPTIONS[name]}{int(value)}" for name, value in options.items() if value is not None)
        return f"{found[1]}c{found[2]}{''.join(parts)}"
    if re.fullmatch(r"\d+a?", text, re.ASCII):
        return text
    raise layer.wrong("dim", "must be a number of neurons, a convolution such as 12c5 or 12c5z, or a pool such as 2a, "
                      f"got {shown(dim)}")


def _training(table, duration, notes):
    training = _error(table.table("error"), duration, notes)
    learning = table.table("learning")
    rate = learning.number("etaW")
    if rate is not None:
        training["learning_rate"] = rate
    if learning.number("lambda", 0.0) != 0:
        raise learning.wrong("lambda", "asks for a decay of weights with this optimiser, which eventsim has not; write "
                             "0, and train with --optimizer adamw")
    _pass_over(learning, notes, {"etaD": "is not used: delays are not learned here"})
    learning.close()
    training |= _optimizer(table.table("optimizer"))
    if table.text("gradAlgo", "SLAYER") != "SLAYER":
        raise table.wrong("gradAlgo", "must be SLAYER, whose gradient eventsim computes")
    _pass_over(table, notes, {
        "path": "is not used; --data names the data set, --out the run",
        "stopif": "is not used; training ends after --epochs",
        "testing": "is not used: every epoch is validated",
    })
    table.close()
    return training


def _error(error, duration, notes):
    kind = error.text("type")
    region, counts = error.table("tgtSpikeRegion"), error.table("tgtSpikeCount")
    start = region.number("start", 0.0)
    stop = region.number("stop")
    old = region.number("end")  # what early versions called it
    stop = duration if stop is None and old is None else old if stop is None else stop
    region.close()
    training = {ours: value for key, ours in ((True, "true_count"), (False, "false_count"))
                if (value := counts.number(key)) is not None}
    counts.close()
    _pass_over(error, notes, {"probSlidingWin": "is of ProbSpikes only, and not used"})
    error.close()
    if kind is None:
        return training
    if kind not in _LOSSES:
        raise error.wrong("type", f"must be {' or '.join(_LOSSES)}, got {shown(kind)}; slayerPytorch implements no "
                          "others")
    training["loss"] = _LOSSES[kind]
    if kind == "SpikeTime":
        notes.append(f"{error.name}.type SpikeTime: wanted spikes are tgtSpikeCount even ones by class, not files")
    elif not 0 <= start < stop:
        raise region.wrong("", f"must start at 0 ms or later and stop after that, got {start:g} to {stop:g}")
    elif start > 0 or stop < duration:
        training["loss_window"] = (start, stop)
    elif stop > duration:
        notes.append(f"{region.name} ends after the sample of {duration:g} ms, and so with it")
    return training


def _optimizer(table):
    name = table.text("name")
    for key, default in (("beta1", 0.9), ("beta2", 0.999), ("epsilon", 1e-8)):
        value = table.number(key, default)
        if value != default:
            raise table.wrong(key, f"must be {default:g}, as eventsim's optimisers have it, got {value:g}")
    table.close()
    if name is None:
        return {}
    settings = _OPTIMIZERS.get(name.upper())
    if settings is None:
        raise table.wrong("name", f"must be ADAM, NADAM or GradientDescent, got {shown(name)}")
    return settings

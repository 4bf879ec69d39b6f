"""Models and checkpoints on disk: one HDF5 file, written whole or not at all.

Layout, version 1: attributes ``format`` = "eventsim-model", ``version``, ``package``, and as JSON ``network`` and
``provenance``; group ``weights`` with float32[n_in, n_out] for every layer; in a checkpoint also group ``training``
with the JSON attributes ``config``, ``progress`` and ``history``, and the groups ``optimizer`` and ``metrics``.

Version 2 is for networks with recurrence or delays. It has besides the group ``recurrent_weights``, float32[n_out,
n_out] for every recurrent layer, and ``delays`` and ``recurrent_delays``, float64 ms as `Dense.delay`, for layers whose
delays are not just those of the architecture's notation; an empty data set stands for none.

Version 3 is for networks with convolutions, pools or stages between layers. Weights of a convolution are float32[C_in /
groups, size, size, C_out]; the group ``batch_norm`` has ``gamma``, ``beta``, ``running_mean`` and ``running_var``,
float32[channels], for every layer that normalises its input.

Version 4 is for networks of which a layer has neurons of its own, an entry ``neurons`` in ``network``, or a constant
input: the group ``biases``, float64[n_out] for every layer that has one.
"""

import contextlib
import json
import pathlib
import tempfile
from importlib.metadata import version

import h5py
import numpy as np

from eventsim import files
from eventsim.errors import ConfigError, EventsimError, FormatError
from eventsim.hdf5 import WRITING, check_heaps
from eventsim.model import Network
from eventsim.trainer.config import TrainingConfig

FORMAT = "eventsim-model"
VERSION, DELAYED_VERSION, SPATIAL_VERSION, OWN_VERSION = VERSIONS = 1, 2, 3, 4
FILE_NAME = "model.h5"
# Groups of the weights and delays from a layer's input, and from the layer itself: the order of `Dense.projections`.
_PROJECTIONS = (("weights", "delays"), ("recurrent_weights", "recurrent_delays"))
# What is known of every epoch.
_RECORD = {"epoch", "samples", "loss", "accuracy", "rates", "silent", "seconds"}
_NORM_ARRAYS = ("gamma", "beta", "running_mean", "running_var")


def _write_group(group, values):
    """Arrays become data sets, plain values attributes."""
    for name, value in values.items():
        if isinstance(value, np.ndarray):
            group.create_dataset(name, data=value)
        else:
            group.attrs[name] = value


def _read_group(group):
    return {name: data[()] for name, data in group.items()} | dict(group.attrs)


def _projections(network):
    """(layer's name, its synapses, what the notation says, names of the groups) of all synapses of a network."""
    for name, layer, field in zip(network.layer_names, network.layers, network.arch.layers, strict=True):
        for part, groups in zip(layer.projections, _PROJECTIONS, strict=False):
            yield name, part, field, groups


def _norms(network):
    """(layer's name, its batch normalisation) of the layers of a network that have one."""
    layers = zip(network.layer_names, network.layers, strict=True)
    return [(name, layer.norm) for name, layer in layers if layer.norm is not None]


def _version_for(network):
    """The lowest version that can say what a network is."""
    if any(layer.neuron is not None or layer.bias is not None for layer in network.layers):
        return OWN_VERSION
    if network.is_spatial:
        return SPATIAL_VERSION
    return VERSION if network.is_immediate and network.arch.is_immediate else DELAYED_VERSION


def save(path, network, *, provenance=None, training=None):
    """Write a model, or with ``training`` (see `Trainer.state`) a checkpoint; ``path`` is replaced at the end.

    Raises `ConfigError` for a network in fewer bits, for layers that its notation does not say, and where the place
    cannot be written (a full disk, say); the earlier file is then intact.
    """
    if not isinstance(network, Network):
        raise ConfigError(f"save takes a path and a Network, in this order; got {type(network).__name__}")
    if network.weights != "float32":
        raise ConfigError(f"weights of {network.weights} are for inference and are not saved; save the float32 network")
    for name, layer, field in zip(network.layer_names, network.layers, network.arch.layers, strict=True):
        if layer.kind != field.kind:
            raise ConfigError(f"layer {name} cannot be saved: {network.arch.notation} says {field.kind} there; save a "
                              "network made with the notation of its layers")
    with files.replacing(path) as temporary, h5py.File(temporary, "w", **WRITING) as file:
        file.attrs.update(format=FORMAT, version=_version_for(network), package=version("eventsim"))
        file.attrs["network"] = json.dumps(network.config())
        file.attrs["provenance"] = json.dumps(provenance or {})
        for name, part, field, (weights, delays) in _projections(network):
            file.create_dataset(f"{weights}/{name}", data=part.weight)
            if part.delay is None and field.delay is not None:
                file.create_dataset(f"{delays}/{name}", data=h5py.Empty("f8"))
            elif part.delay is not None and not np.array_equal(part.delay, field.delay):
                file.create_dataset(f"{delays}/{name}", data=part.delay)
        for name, layer in zip(network.layer_names, network.layers, strict=True):
            if layer.bias is not None:
                file.create_dataset(f"biases/{name}", data=np.asarray(layer.bias, np.float64))
        for name, norm in _norms(network):
            _write_group(file.create_group(f"batch_norm/{name}"), {name: getattr(norm, name) for name in _NORM_ARRAYS})
        if training is not None:
            group = file.create_group("training")
            for name in ("config", "progress", "history"):
                group.attrs[name] = json.dumps(training[name])
            for name in ("optimizer", "metrics"):
                _write_group(group.create_group(name), training[name])


def locate(path) -> pathlib.Path:
    """The model file of a run folder, or the file itself; raises `FormatError` where there is none."""
    path = files.as_path(path)
    if path.is_dir():
        if not (path / FILE_NAME).is_file():
            raise FormatError(f"{path}: holds no {FILE_NAME}, so it is no run; name one that `eventsim train` made")
        return path / FILE_NAME
    return path


def newest_run(root="runs") -> pathlib.Path | None:
    """The run under ``root`` whose model was written last, or None."""
    found = [(model.stat().st_mtime_ns, str(model)) for model in pathlib.Path(root).glob(f"*/{FILE_NAME}")]
    return pathlib.Path(max(found)[1]).parent if found else None


def _checked_header(file, path):
    if file.attrs.get("format") != FORMAT:
        raise FormatError(f"{path}: is an HDF5 file but not an eventsim model; name a run folder or its {FILE_NAME}")
    found = file.attrs.get("version")
    if found not in VERSIONS:
        raise FormatError(
            f"{path}: is an eventsim model of version {found}, this eventsim reads {', '.join(map(str, VERSIONS))}; "
            f"install the eventsim that wrote it ({file.attrs.get('package', 'unknown')}) or a newer one"
        )


def _read_weights(file, network, path):
    for name, part, _, (weights, delays) in _projections(network):
        data, shape = file[f"{weights}/{name}"], part.weight_shape
        if data.shape != shape:
            raise FormatError(f"{path}: {weights}/{name} has the shape {data.shape}, the architecture says {shape}")
        part.weight = data[()]
        if f"{delays}/{name}" in file:
            data = file[f"{delays}/{name}"]
            part.delay = None if data.shape is None else data[()]
    for name, norm in _norms(network):
        for array in _NORM_ARRAYS:
            setattr(norm, array, file[f"batch_norm/{name}/{array}"][()])
    for name, layer in zip(network.layer_names, network.layers, strict=True):
        if f"biases/{name}" in file:
            layer.bias = _checked_bias(file[f"biases/{name}"][()], name, layer, path)
    _ = network.neurons  # which may not be, with delays that the notation does not say


def _checked_bias(values, name, layer, path):
    """A constant input of a file, float64[n_out]."""
    if values.shape != (layer.n_out,) or values.dtype.kind != "f" or not np.isfinite(values).all():
        raise FormatError(f"{path}: biases/{name} must be {layer.n_out} finite numbers, got {values.dtype}"
                          f"{list(values.shape)}")
    return values.astype(np.float64)


@contextlib.contextmanager
def _opened(path):
    """The model file of a run or path, its header checked; whatever is wrong inside becomes a `FormatError`."""
    path = locate(path)
    with files.reading(path):
        path.open("rb").close()  # what the operating system refuses is said in its own words
    try:
        check_heaps(path)
        with h5py.File(path, "r") as file:
            _checked_header(file, path)
            yield file
    except FormatError:
        raise
    except EventsimError as error:
        raise FormatError(f"{path}: is damaged or not an eventsim model ({error}); restore it from a copy") from error
    except (OSError, LookupError, ValueError, TypeError, AttributeError, RuntimeError, ArithmeticError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise FormatError(f"{path}: is damaged or not an eventsim model ({reason}); restore it from a copy") from error


def _read_network(file):
    network = Network.from_config(_read_json(file.attrs, "network", dict))
    _read_weights(file, network, file.filename)
    return network


def _read_json(attributes, name, kind):
    value = json.loads(attributes[name])
    if not isinstance(value, kind):
        raise ValueError(f"{name} is no {kind.__name__}")
    return value


def _read_training(group):
    training = {name: _read_json(group.attrs, name, kind)
                for name, kind in (("config", dict), ("progress", dict), ("history", list))}
    training["config"] = TrainingConfig(**training["config"]).as_dict() | training["config"]
    done = training["progress"]["epoch"]
    if not all(isinstance(record, dict) and record.keys() >= _RECORD for record in training["history"]):
        raise ValueError("history holds something else than epochs")
    if len(training["history"]) != done:
        raise ValueError(f"history has {len(training['history'])} epochs, and {done!r} are done")
    return training


def load(path) -> Network:
    """The network in a run folder or model file.

    Raises `FormatError` where there is none, or it is damaged or of another version.
    """
    with _opened(path) as file:
        return _read_network(file)


def describe(path) -> dict:
    """What a run folder or model file says of itself, without its weights; raises as `load` does.

    ``file``, ``package`` (the version that wrote it), ``network`` (see `Network.config`), ``delays`` (least and
    longest, ms, of layers that have others than the notation says) and ``provenance``, and of its training ``config``,
    ``progress`` and ``history``, None where a model has none.
    """
    with _opened(path) as file:
        return _description(file, Network.from_config(_read_json(file.attrs, "network", dict)))


def load_described(path) -> tuple[Network, dict]:
    """What `load` and `describe` give, of a file that is opened and looked over once."""
    with _opened(path) as file:
        network = _read_network(file)
        return network, _description(file, network)


def _description(file, network):
    training = _read_training(file["training"]) if "training" in file else {}
    return {
        "file": file.filename, "package": str(file.attrs["package"]), "network": network.config(),
        "delays": _delay_ranges(file), "provenance": _read_json(file.attrs, "provenance", dict),
        **{name: training.get(name) for name in ("config", "progress", "history")},
    }


def _delay_ranges(file):
    """[least, longest] delay of the layers in the groups of delays, by layer; of recurrent ones by "layer, own"."""
    out = {}
    for (_, group), kind in zip(_PROJECTIONS, ("", ", own"), strict=True):
        for name, data in file.get(group, {}).items():
            out[name + kind] = [0.0, 0.0] if data.shape is None else [float(data[()].min()), float(data[()].max())]
    return out


def load_checkpoint(path):
    """``(network, provenance, training)``, what `save` was given."""
    with _opened(path) as file:
        if "training" not in file:
            raise FormatError(f"{file.filename}: is a model without training state, so it cannot be resumed")
        group = file["training"]
        training = _read_training(group) | {name: _read_group(group[name]) for name in ("optimizer", "metrics")}
        return _read_network(file), _read_json(file.attrs, "provenance", dict), training


def check_writable(folder, cure="choose another --out") -> pathlib.Path:
    """Make the run folder now, so that a place that cannot be written is found before the training and not after.

    cure : what the message advises
    """
    folder = files.as_path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise ConfigError(f"{folder}: cannot be written ({error.strerror or error}); {cure}") from error
    return folder

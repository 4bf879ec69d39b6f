"""What each type of node does to a `Builder`: a line in `NODES`, or one in `REFUSED` for those that eventsim lacks."""

import math

import numpy as np

from eventsim.errors import ConfigError, FormatError
from eventsim.exchange.nir.delays import delay_of
from eventsim.exchange.nir.file import scalar
from eventsim.exchange.nir.integrators import INTEGRATORS, integrator_of
from eventsim.exchange.nir.neurons import NEURONS, neuron_of
from eventsim.exchange.nir.parts import Pool, Synapses
from eventsim.exchange.nir.values import uniform
from eventsim.sensor import Sensor

_LONGEST = 60  # characters of a value in a sentence
_BEHIND = ("Flatten", "Output")  # what may follow neurons that never spike


def _brief(value) -> str:
    """A value of the file, in a few words."""
    is_list = isinstance(value, np.ndarray) and value.ndim == 1
    text = " ".join(repr(tuple(value.tolist()) if is_list else value).split())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _shape(where, values):
    """A shape of the file without axes of the batch."""
    try:
        shape = tuple(int(scalar(n)) for n in np.asarray(values).ravel())
    except (TypeError, ValueError, OverflowError):
        shape = ()
    while len(shape) in (2, 4) and shape[0] == 1:
        shape = shape[1:]
    if len(shape) not in (1, 3) or min(shape) < 1:
        raise FormatError(f"{where} has the shape {_brief(values)}; eventsim takes (N,) or (channels, height, "
                          "width), so export the network without batch and time, and other axes as one")
    return shape


def _input(builder, where, node):
    shape, sensor = _shape(where, node.input_type["input"]), builder.sensor
    try:
        if sensor is None:
            sensor = Sensor(shape[2], shape[1], shape[0]) if len(shape) == 3 else Sensor(shape[0], 1, 1)
        elif shape not in ((sensor.n_addresses,), (sensor.polarities, sensor.height, sensor.width)):
            raise ConfigError(f"the input is to be {sensor}, which has not its shape")
    except ConfigError as error:
        raise FormatError(f"{where} has the shape {shape}: {error}; name another with --nir-input, or export another"
                          ) from None
    space = (sensor.polarities, sensor.height, sensor.width)
    field = str(sensor) if len(shape) == 3 or builder.sensor is not None else str(shape[0])
    builder.takes(field, space, False if len(shape) == 3 else True if builder.sensor is None else None)


def _output(builder, where, node):
    shape = node.output_type["output"]
    if builder.synapses is not None or builder.pool is not None:
        raise FormatError(f"{where} gets numbers, not spikes; put neurons (IF or LIF) before it")
    if builder.delay.any():
        raise FormatError(f"{where} gets delayed spikes, and eventsim delays those that go to a layer; leave out the "
                          "Delay before it")
    if shape is not None and math.prod(_shape(where, shape)) != math.prod(builder.space):
        raise FormatError(f"{where} has the shape {_shape(where, shape)}, but gets {builder.shapes[0]}; export the "
                          "file again")


def _numbers(where, name, values, n_axes):
    """An array of finite numbers that float32 can hold."""
    array = np.asarray(values)
    if array.dtype.kind not in "iuf" or array.ndim != n_axes or array.size == 0:
        raise FormatError(f"{where} has {name} of the type {array.dtype} and shape {array.shape}; eventsim takes "
                          f"numbers with {n_axes} axes")
    with np.errstate(over="ignore"):
        array = array.astype(np.float32)
    if not np.isfinite(array).all():
        raise FormatError(f"{where} has {name} that are not finite in float32; export the file with finite ones")
    return array


def _affine(builder, where, node):
    weight = _numbers(where, "weights", node.weight, 2)
    n_out, n_in = weight.shape
    if builder.is_flat is False:
        raise FormatError(f"{where} gets planes of the shape {builder.space}; put a Flatten before it")
    if n_in != math.prod(builder.space):
        raise FormatError(f"{where} has weights for {n_in} inputs, but gets {math.prod(builder.space)}; export the "
                          "file again")
    builder.weighs(where, Synapses(str(n_out), weight.T, _bias(where, node, n_out)), (n_out, 1, 1), True)


def _bias(where, node, n):
    values = getattr(node, "bias", None)
    if values is None:
        return None
    bias = _numbers(where, "bias", values, 1)
    if bias.shape != (n,):
        raise FormatError(f"{where} has a bias of {len(bias)} numbers for {n} outputs; export the file again")
    return bias.astype(np.float64)


def _whole(where, name, value, least):
    """The whole number that both axes of a window have."""
    found = np.unique(np.asarray(value)) if not isinstance(value, str) else np.empty(0)
    if len(found) != 1 or found.dtype.kind not in "iu" or not least <= found[0] < 2**31:
        raise FormatError(f"{where} has a {name} of {_brief(value)}; eventsim has windows of one {name} for both "
                          f"axes, a whole number from {least}")
    return int(found[0])


def _padding(where, node, span, stride):
    if isinstance(node.padding, bytes | str):
        if str(node.padding) == "valid":
            return 0
        if str(node.padding) != "same" or stride != 1 or span % 2 == 0:
            raise FormatError(f"{where} has the padding {_brief(node.padding)}, which eventsim knows of odd windows "
                              "with a stride of 1; write it as a number")
        return span // 2
    return _whole(where, "padding", node.padding, 0)


def _conv(builder, where, node):
    weight = _numbers(where, "weights", node.weight, 4)
    channels, height, width = builder.planes(where)
    size = _whole(where, "kernel", weight.shape[2:], 1)
    stride, dilation = (_whole(where, name, getattr(node, name), 1) for name in ("stride", "dilation"))
    groups = _whole(where, "number of groups", node.groups, 1)
    span = (size - 1) * dilation + 1
    padding = _padding(where, node, span, stride)
    if weight.shape[1] * groups != channels or weight.shape[0] % groups:
        raise FormatError(f"{where} has weights of the shape {weight.shape} in {groups} groups, but gets {channels} "
                          "channels; export the file again")
    if padding >= span or min(height, width) + 2 * padding < span:
        raise FormatError(f"{where} has a window of {span} and a padding of {padding}, which do not fit planes of "
                          f"{width}x{height}; use a padding below the window, and no larger window")
    options = (("s", stride, 1), ("p", padding, 0), ("d", dilation, 1), ("g", groups, 1))
    field = f"{weight.shape[0]}c{size}" + "".join(f"{letter}{n}" for letter, n, usual in options if n != usual)
    sizes = ((n + 2 * padding - span) // stride + 1 for n in (height, width))
    builder.weighs(where, Synapses(field, weight.transpose(1, 2, 3, 0), _bias(where, node, weight.shape[0])),
                   (weight.shape[0], *sizes), False)


def _pool(is_mean):
    def take(builder, where, node):
        size, stride = (_whole(where, name, getattr(node, name), 1) for name in ("kernel_size", "stride"))
        padding = _whole(where, "padding", node.padding, 0)
        if padding >= size:
            raise FormatError(f"{where} has a padding of {padding}, not below its window of {size}; use a smaller one")
        builder.pools(Pool(where, size, stride, padding, 1.0 / size**2 if is_mean else 1.0))

    return take


def _flatten(builder, where, node):
    shape = builder.shapes[0]
    try:
        first, last = (int(scalar(n)) % len(shape) for n in (node.start_dim, node.end_dim))
    except (TypeError, ValueError, OverflowError):
        first = last = -1
    if (first, last) != (0, len(shape) - 1):
        raise FormatError(f"{where} flattens the axes {_brief(node.start_dim)} to {_brief(node.end_dim)} of {shape}; "
                          "eventsim flattens all of them, 0 to -1")
    builder.is_flat = True


def _scale(builder, where, node):
    builder.multiplies(uniform(where, "scale", node.scale, builder.shapes,
                               "multiply the weights with them, and leave the node out"))


def _delay(builder, where, node):
    builder.delays(where, delay_of(where, node, builder.shapes, builder.timing, builder.notes))


def _neuron(builder, where, node):
    builder.fires(where, lambda scale: neuron_of(where, node, builder.shapes, builder.timing, scale, builder.notes))


def _potentials(builder, where, node):
    """Neurons whose potentials are read."""
    builder.fires(where, lambda scale: integrator_of(where, node, builder.shapes, builder.timing, scale, builder.notes))


NODES = {
    "Input": _input, "Output": _output, "Linear": _affine, "Affine": _affine, "Conv2d": _conv,
    "SumPool2d": _pool(False), "AvgPool2d": _pool(True), "Flatten": _flatten, "Scale": _scale,
    "Delay": _delay, **dict.fromkeys(NEURONS, _neuron), **dict.fromkeys(INTEGRATORS, _potentials),
}
REFUSED = {
    "CubaLI": "integrates a current and never spikes, and eventsim reads potentials without a current; put LI in its "
              "place",
    "Conv1d": "convolves along one axis; write it as a Conv2d of height 1 with a square kernel, or as Linear",
}


def take(builder, name, node, is_read=False):
    """Let a builder take the node that a graph calls ``name``; is_read : the potentials of these neurons are read."""
    kind = type(node).__name__
    where = builder.where(name, node)
    if kind not in NODES:
        known = ", ".join(NODES)
        raise FormatError(f"{where} {REFUSED.get(kind, f'is of a type that eventsim does not have: {known}')}")
    if builder.end is not None and kind not in _BEHIND:
        raise FormatError(f"{builder.end} never spikes, so nothing comes to {where.rpartition(': ')[2]} behind it; "
                          "put IF or LIF in its place, or end there")
    (_potentials if is_read else NODES[kind])(builder, where, node)

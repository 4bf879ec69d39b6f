"""The numbers of a layer's neurons, of which eventsim has one for all."""

import math

import numpy as np

from eventsim.errors import FormatError

_ROUNDING = 1e-6
_SAME = "give all its neurons the same, before they are trained"
# What the weights of a neuron can take over, where its v_leak is 0; v_reset only in proportion to the threshold.
_GAINS, _THRESHOLDS = ("r", "w_in"), ("v_threshold", "threshold")


def checked(where, name, value, shapes):
    """float64[1] or float64[N] of a value that has one of these ``shapes``."""
    value = np.asarray(value)
    if value.dtype.kind not in "iuf" or value.size == 0 or value.shape not in ((), (1,), *shapes):
        raise FormatError(f"{where} has {name} of the shape {value.shape} and type {value.dtype}, but gets "
                          f"{shapes[0]}; export it with a number for each")
    if not np.isfinite(value).all():
        raise FormatError(f"{where} has values of {name} that are not finite; export it with finite ones")
    return value.astype(np.float64).ravel()


def _one(where, name, values, instead=_SAME) -> float:
    different = np.unique(values)
    if len(different) > 1:
        raise FormatError(
            f"{where} has {len(different)} different values of {name} from {different[0]:g} to {different[-1]:g}, and "
            f"eventsim has one for a layer; {instead}"
        )
    return float(different[0])


def uniform(where, name, value, shapes, instead=_SAME) -> float:
    """The number that all neurons of a layer have, which has one of these ``shapes``.

    Raises `FormatError` where they differ, which says what to do ``instead``.
    """
    return _one(where, name, checked(where, name, value, shapes), instead)


def one_each(where, name, value, shapes):
    """The number of every neuron of a layer, float64[N], of a value that has one of these ``shapes``."""
    return np.broadcast_to(checked(where, name, value, shapes), math.prod(shapes[0]))


@np.errstate(all="ignore")  # what overflows is refused
def levelled(where, given, shapes):
    """(numbers by name, strength): one number for all neurons, those of the first where they differ in scale.

    given : arrays by name, of one of these ``shapes``
    strength : float64[N], what input must count for a neuron so that it fires as with its own numbers; None: the same

    A neuron of half the threshold is one of twice the weights. Raises `FormatError` where they differ otherwise.
    """
    values = {name: checked(where, name, value, shapes) for name, value in given.items()}
    size = math.prod(shapes[0])
    theta = next(values[name] for name in _THRESHOLDS if name in values)
    scale = np.prod([np.broadcast_to(values[name], size) for name in _GAINS if name in values], axis=0)
    reset = values.get("v_reset", np.zeros(1)) / theta if theta.min() > 0 else np.array([0.0, 1.0])
    if values.get("v_leak", np.zeros(1)).any() or np.ptp(reset) > _ROUNDING:
        return {name: _one(where, name, array) for name, array in values.items()}, None
    folded = (*_GAINS, *_THRESHOLDS, "v_reset")
    numbers = {name: float(array[0]) if name in folded else _one(where, name, array) for name, array in values.items()}
    strength = scale / theta
    if np.ptp(strength) == 0 and all(np.ptp(array) == 0 for array in values.values()):
        return numbers, None
    strength = strength / strength[0]
    if not (np.isfinite(strength) & (strength > 0)).all():
        raise FormatError(f"{where} has neurons whose input counts 0, or is of different signs; "
                          "change the sign of their weights instead")
    return numbers, strength

"""SRM parameters: what is refused, and the numbers that the kernels get."""

import math
from dataclasses import FrozenInstanceError, fields

import numpy as np
import pytest
from naive import srm as naive

from eventsim.errors import ConfigError
from eventsim.kernels import layout as rows
from eventsim.model import SRM

NAMES = [field.name for field in fields(SRM)]


def test_defaults_are_those_of_slayer_pytorch_s_n_mnist_example():
    neuron = SRM()
    assert (neuron.theta, neuron.tau_syn, neuron.tau_ref, neuron.scale_ref) == (10.0, 10.0, 1.0, 2.0)
    assert (neuron.tau_rho, neuron.scale_rho, neuron.t_abs) == (1.0, 1.0, None)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", [-1, 0, math.nan, math.inf, -math.inf, "a", "", True, False, [1.0], None, 1j,
                                   {}, 1e300, 1e-300],
                         ids=repr)
def test_every_parameter_is_a_finite_positive_number(name, value):
    no_refractory_response = name == "scale_ref" and value == 0 and not isinstance(value, bool)
    if no_refractory_response or (name == "t_abs" and value is None):
        SRM(**{name: value})
        return
    sentence = f"^neuron parameter {name} must be a number from (1e-09|0.001) to 1e\\+09(, or 0)?, got "
    with pytest.raises(ConfigError, match=sentence):
        SRM(**{name: value})


@pytest.mark.parametrize("value", ["3", "1e3", np.array([2.0]), b"4"], ids=repr)
def test_a_number_in_disguise_is_no_number(value):
    with pytest.raises(ConfigError):
        SRM(theta=value)


def test_parameters_become_floats_and_are_frozen():
    neuron = SRM(theta=np.float32(5), tau_syn=np.int64(3), t_abs=2)
    assert all(type(getattr(neuron, name)) is float for name in NAMES)
    assert neuron == SRM(theta=5, tau_syn=3, t_abs=2.0)
    with pytest.raises(FrozenInstanceError):
        neuron.theta = 1.0


@pytest.mark.parametrize("tau, dt, taps", [(10.0, 1.0, 77), (5.0, 1.0, 39), (1.0, 1.0, 8), (1.0, 0.1, 77)])
def test_taps_are_those_of_slayer_pytorch(tau, dt, taps):
    assert SRM(tau_syn=tau).n_taps(dt) == taps == naive.n_taps(tau, dt)


@pytest.mark.parametrize("t_abs, dt, ticks", [
    (None, 1.0, 1), (None, 0.1, 1), (1.0, 1.0, 1), (3.0, 1.0, 3), (0.2, 1.0, 1), (2.6, 1.0, 3), (1.0, 0.1, 10),
    (0.3, 0.1, 3), (1e9, 1e-3, 2**30),
])
def test_dead_time_in_ticks(t_abs, dt, ticks):
    assert SRM(t_abs=t_abs).dead_ticks(dt) == ticks


@pytest.mark.parametrize("dt", [0.1, 1.0, 2.5])
@pytest.mark.parametrize("n_taps", [0, 1, 2, 30])
def test_constants_stepped_give_the_two_kernels(dt, n_taps):
    neuron = SRM(theta=7.0, tau_syn=4.0, tau_ref=1.5, scale_ref=3.0)
    constants = neuron.constants(dt, n_taps)
    assert constants.dtype == np.float32 and constants.shape == (7,)
    assert constants[rows.THETA] == 7.0
    alpha_syn, gain_syn = constants[rows.ALPHA_SYN].astype(float), constants[rows.GAIN_SYN].astype(float)
    alpha_ref, gain_ref = constants[rows.ALPHA_REF].astype(float), constants[rows.GAIN_REF].astype(float)
    k = np.arange(25)
    np.testing.assert_allclose(gain_syn * k * alpha_syn**k, naive.alpha(4.0, dt, 25), rtol=1e-5)
    np.testing.assert_allclose(gain_ref * k * alpha_ref**k, -21.0 * naive.alpha(1.5, dt, 25), rtol=1e-5)
    if n_taps:  # what is left of one input in P and Q after its last tap
        age = n_taps - 1
        np.testing.assert_allclose(constants[rows.CUT_P], gain_syn * alpha_syn**age, rtol=1e-5)
        np.testing.assert_allclose(constants[rows.CUT_Q], gain_syn * age * alpha_syn**age, rtol=1e-5)
    else:
        assert constants[rows.CUT_P] == constants[rows.CUT_Q] == 0


def test_the_surrogate_s_area_is_two_scale_rho():
    neuron = SRM(theta=4.0, tau_rho=0.5, scale_rho=3.0)
    assert (neuron.rho_width, neuron.rho_peak) == (2.0, 1.5)
    assert 2 * neuron.rho_width * neuron.rho_peak == 2 * neuron.scale_rho

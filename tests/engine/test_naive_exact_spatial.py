"""The naive gradient of a layer behind stages in continuous time: derivatives of its potentials by differences."""

import itertools
from types import SimpleNamespace

import numpy as np
import pytest
from naive import exact_spatial as naive
from naive.exact import alpha
from naive.exact_lif import after
from naive.srm import surrogate

SURROGATE = {"theta": 10.0, "t_abs": 1.0, "tau_rho": 1.0, "scale_rho": 1.0}
NEURONS = {
    "srm": SimpleNamespace(tau_syn=3.0, tau_ref=1.0, scale_ref=2.0, **SURROGATE),
    "lif": SimpleNamespace(tau_mem=4.0, tau_syn=None, reset="hard", **SURROGATE),
    "current": SimpleNamespace(tau_mem=4.0, tau_syn=2.5, reset="subtract", **SURROGATE),
    "as fast": SimpleNamespace(tau_mem=3.0, tau_syn=3.0, reset="subtract", **SURROGATE),
}
DT, TICKS, SAMPLES = 0.7, 12, 2
STAGES = {
    "plain": (np.arange(6), 1.0, np.arange(6), False, False), "pooled": (np.array([0, 0, 1, 1, 2, -1]), 0.25,
                                                                         np.array([0, 0, 1]), False, False),
    "normalised": (np.arange(6), 1.0, np.array([0, 0, 0, 1, 1, 1]), True, False),
    "pooled and normalised": (np.array([0, 1, 1, 2, -1, 0]), 0.25, np.array([0, 0, 1]), True, False),
    "dropped": (np.arange(6), 2.0, np.array([0, 0, 0, 1, 1, 1]), False, True),
}


@pytest.fixture(params=[(name, kind) for name in NEURONS for kind in STAGES], ids="-".join)
def scene(request, rng):
    """Stages, the spikes of a batch before them, the weights, and what is fixed: potentials, and errors."""
    neuron, kind = request.param
    table, unit, channel, is_normalised, drops = STAGES[kind]
    n, channels = len(channel), channel.max() + 1
    norm = (rng.normal(1, 0.3, channels), rng.normal(0, 0.3, channels)) if is_normalised else ()
    kept = rng.random((SAMPLES, n)) < 0.6 if drops else None
    stages = naive.Stages(table, unit, channel, *norm, kept=kept)
    given = [(np.sort(rng.uniform(0, TICKS * DT, 25)), rng.integers(0, 6, 25)) for _ in range(SAMPLES)]
    u, error = rng.normal(8, 3, (2, SAMPLES, TICKS, 4))
    return SimpleNamespace(stages=stages, given=given, w=rng.normal(0, 2, (n, 4)), u=u, error=error,
                           active=np.ones(u.shape, bool), p=NEURONS[neuron])


def response(t, p):
    """What a unit of weight at t does to the potential at the ticks."""
    age = np.arange(TICKS) * DT - t
    if not hasattr(p, "tau_mem"):
        return alpha(age, p.tau_syn)
    jump = 1.0 if p.tau_syn is None else 0.0
    return np.array([after(jump, 1.0 - jump, s, p)[0] if s >= 0 else 0.0 for s in age])


def reached(scene, w=None, more=0.0, extra=None, **changed):
    """dt sum of d u over all samples, ticks and neurons: d = rho(u) e is what `backward` propagates.

    more : what the statistics count besides the spikes; extra : (sample, time, address, share of a spike) of one
    """
    stages = naive.Stages(**(vars(scene.stages) | changed))
    batch = [naive.arriving(stages, b, *one) for b, one in enumerate(scene.given)]
    x, total = naive.counted(stages, batch, DT, TICKS) + more, 0.0
    for b, one in enumerate(batch):
        weights, nobody = scene.w if w is None else w, (np.empty(0), np.empty(0, int))
        u, _ = naive.potentials(stages, b, one, x, weights, nobody, scene.p, DT, TICKS)
        if extra is not None and extra[0] == b:
            _, t, j, share = extra
            size = share * stages.unit * naive.affine(stages, x)[0][stages.channel[j]]
            u += size * np.outer(response(t, scene.p), scene.w[j])
        total += DT * np.sum(surrogate(scene.u[b], scene.p) * scene.error[b] * u)
    return total


def found(scene):
    batch = [naive.arriving(scene.stages, b, *one) for b, one in enumerate(scene.given)]
    x = naive.counted(scene.stages, batch, DT, TICKS)
    resets = np.zeros_like(scene.active)
    return naive.backward(scene.stages, batch, x, scene.w, scene.u, scene.active, resets, scene.error, scene.p, DT)


def by_differences(value, at, step=1e-4):
    """The derivative of value(array) at an array."""
    out = np.empty(at.shape)
    for i in itertools.product(*map(range, at.shape)):
        high, low = at.copy(), at.copy()
        high[i], low[i] = at[i] + step, at[i] - step
        out[i] = (value(high) - value(low)) / (2 * step)
    return out


def test_gradients_of_parameters(scene):
    by_weights, by_norm, _ = found(scene)
    np.testing.assert_allclose(by_weights, by_differences(lambda w: reached(scene, w), scene.w), rtol=1e-6, atol=1e-8)
    if by_norm:
        for name, gradient in zip(("gamma", "beta"), by_norm, strict=True):
            at = getattr(scene.stages, name)
            want = by_differences(lambda values, name=name: reached(scene, **{name: values}), at)
            np.testing.assert_allclose(gradient, want, rtol=1e-6, atol=1e-8)


def test_the_error_before_the_stages_is_what_a_share_of_a_spike_more_changes(scene):
    """It drives potentials from its tick on, and counts in the statistics of that tick."""
    _, _, error = found(scene)
    for b, k, i in itertools.product(range(SAMPLES), (0, 3, 10), range(6)):
        j, want = scene.stages.table[i], 0.0
        if j >= 0 and (scene.stages.kept is None or scene.stages.kept[b, j]):
            more = np.zeros((SAMPLES, TICKS, len(scene.stages.channel)))
            more[b, k, j] = step = 1e-5
            high, low = (reached(scene, more=sign * scene.stages.unit * more, extra=(b, k * DT, j, sign * step))
                         for sign in (1, -1))
            want = (high - low) / (2 * step)
        assert error[b][k, i] == pytest.approx(want, rel=1e-5, abs=1e-7)

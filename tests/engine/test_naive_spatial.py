"""The naive convolutions, pools and normalisation: against other forms of them, their adjoints, finite differences."""

from types import SimpleNamespace

import numpy as np
import pytest
from naive import spatial
from naive import spatial_network as walk

INF = np.inf
# Input (C, H, W), output channels, kernel, options.
GEOMETRIES = {
    "valid": ((3, 6, 5), 4, 3, {}),
    "one to one": ((2, 3, 4), 3, 1, {}),
    "stride": ((2, 7, 8), 3, 3, {"stride": 2}),
    "stride past the kernel": ((2, 7, 8), 3, 2, {"stride": 3}),
    "padding": ((2, 4, 5), 3, 3, {"padding": 1}),
    "padding past the kernel": ((1, 3, 2), 2, 2, {"padding": 3}),
    "dilation": ((2, 7, 6), 3, 3, {"dilation": 2}),
    "groups": ((6, 4, 4), 9, 3, {"groups": 3}),
    "a group a channel": ((4, 4, 4), 4, 2, {"groups": 4}),
    "all at once": ((4, 9, 8), 6, 3, {"stride": 2, "padding": 2, "dilation": 2, "groups": 2}),
    "kernel of the input's size": ((3, 4, 4), 5, 4, {}),
}


def scene(rng, name):
    """Maps x[2, C, H, W], weights, options of a convolution."""
    shape, n_out, k, options = GEOMETRIES[name]
    return rng.normal(size=(2, *shape)), rng.normal(size=(shape[0] // options.get("groups", 1), k, k, n_out)), options


@pytest.mark.parametrize("name", GEOMETRIES)
def test_convolution_is_the_sum_over_the_windows_of_a_padded_map(rng, name):
    x, w, options = scene(rng, name)
    stride, padding, dilation, groups = (options.get(key, default) for key, default in (
        ("stride", 1), ("padding", 0), ("dilation", 1), ("groups", 1)))
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    span = dilation * (w.shape[1] - 1) + 1
    windows = np.lib.stride_tricks.sliding_window_view(padded, (span, span), axis=(-2, -1))
    windows = windows[:, :, ::stride, ::stride, ::dilation, ::dilation]
    parts = zip(np.split(windows, groups, axis=1), np.split(w, groups, axis=3), strict=True)
    want = np.concatenate([np.einsum("bcyxij,cijo->boyx", part, weights) for part, weights in parts], axis=1)
    np.testing.assert_allclose(spatial.conv(x, w, **options), want, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", GEOMETRIES)
def test_a_convolution_is_the_dense_layer_of_its_matrix(rng, name):
    x, w, options = scene(rng, name)
    want = spatial.conv(x, w, **options)
    matrix = spatial.conv_matrix(w, x.shape[1:], **options)
    np.testing.assert_allclose(x.reshape(2, -1) @ matrix, want.reshape(2, -1), rtol=1e-12, atol=1e-12)
    ones = spatial.conv_matrix(np.ones(w.shape), x.shape[1:], **options)
    assert np.sum(matrix != 0) == np.sum(ones) == spatial.conv(np.ones(x[0].shape), np.ones(w.shape), **options).sum()


@pytest.mark.parametrize("name", GEOMETRIES)
def test_adjoints_of_a_convolution(rng, name):
    x, w, options = scene(rng, name)
    out = spatial.conv(x, w, **options)
    e = rng.normal(size=out.shape)
    want = np.sum(out * e)
    assert abs(want) > 0.01
    by_input = spatial.conv_to_input(e, w, x.shape[1:], **options)
    by_weights = spatial.conv_to_weights(x, e, w, **options)
    assert np.sum(x * by_input) == pytest.approx(want, rel=1e-10)
    assert np.sum(w * by_weights) == pytest.approx(want, rel=1e-10)


def test_a_convolution_by_hand():
    x = np.arange(9.0).reshape(1, 3, 3)
    w = np.array([[1.0, 10.0], [100.0, 1000.0]])[None, :, :, None]
    np.testing.assert_array_equal(spatial.conv(x, w)[0], [[4310, 5421], [7643, 8754]])
    np.testing.assert_array_equal(spatial.conv(x, w, stride=2, padding=1)[0], [[0, 2100], [6030, 8754]])
    np.testing.assert_array_equal(spatial.conv(x, w, dilation=2)[0], [[8620]])


def test_published_convolutions(genn_conv):
    """Of one map of pixels that spike or not, so exact."""
    pattern, wanted = genn_conv
    for kernel, want in wanted:
        np.testing.assert_array_equal(spatial.conv(pattern, kernel[None, :, :, None]), want)


@pytest.mark.parametrize("pool, adjoint", [
    (spatial.sum_pool, spatial.sum_pool_to_input), (spatial.average_pool, spatial.average_pool_to_input),
])
@pytest.mark.parametrize("k, size", [(2, (4, 6)), (2, (5, 7)), (3, (3, 5)), (1, (2, 2)), (4, (4, 4))])
def test_pools_and_their_adjoints(rng, pool, adjoint, k, size):
    x = rng.normal(size=(2, 3, *size))
    out = pool(x, k)
    weight = 1 / k**2 if pool is spatial.average_pool else 1.0
    want = spatial.conv(x, np.full((1, k, k, 3), weight), stride=k, groups=3)
    np.testing.assert_allclose(out, want, rtol=1e-12, atol=1e-12)
    e = rng.normal(size=out.shape)
    back = adjoint(e, k, x.shape[1:])
    assert np.sum(x * back) == pytest.approx(np.sum(out * e), rel=1e-10)
    np.testing.assert_allclose(back, spatial.conv_to_input(e, np.full((1, k, k, 3), weight), x.shape[1:], stride=k,
                                                           groups=3))


def test_dropout_and_its_adjoint(rng):
    x, e = rng.normal(size=(2, 5, 3, 4, 4))
    mask = rng.random((3, 4, 4)) < 0.8
    out = spatial.dropout(x, mask, 0.2)
    assert not out[:, ~mask].any()
    np.testing.assert_allclose(out[:, mask], x[:, mask] * 1.25)
    assert np.sum(x * spatial.dropout(e, mask, 0.2)) == pytest.approx(np.sum(out * e), rel=1e-10)


def test_a_normalised_batch_has_the_mean_beta_and_the_deviation_gamma(rng):
    x = rng.normal(2.0, 3.0, size=(7, 4, 3, 5, 5)) * np.array([1.0, 2.0, 5.0])[:, None, None]
    gamma, beta = np.array([0.5, -2.0, 1.0]), np.array([0.0, 3.0, -1.0])
    mean, var = spatial.statistics(x)
    np.testing.assert_allclose(mean, x.mean(axis=(0, 1, 3, 4)))
    np.testing.assert_allclose(var, x.var(axis=(0, 1, 3, 4)))
    out = spatial.batch_norm(x, gamma, beta, mean, var)
    np.testing.assert_allclose(out.mean(axis=(0, 1, 3, 4)), beta, atol=1e-12)
    np.testing.assert_allclose(out.std(axis=(0, 1, 3, 4)), np.abs(gamma), rtol=1e-5)
    assert np.sign(np.corrcoef(x[:, :, 1].ravel(), out[:, :, 1].ravel())[0, 1]) == -1
    once = spatial.running(np.zeros(3), np.ones(3), x)
    np.testing.assert_allclose(once, [0.1 * mean, 0.9 + 0.1 * x.var(axis=(0, 1, 3, 4), ddof=1)])


def test_means_of_binary_spikes_are_shares(rng):
    """A channel's mean and variance follow from two counts, whatever the axes they are taken over."""
    s = (rng.random((20, 3, 2, 5, 4)) < 0.2).astype(float)
    x = spatial.average_pool(s, 2)
    mean, var = spatial.statistics(x)
    n = 20 * 3 * 2 * 2
    inside = s[..., :4, :4]
    windows = spatial.sum_pool(s, 2)
    first, second = inside.sum(axis=(0, 1, 3, 4)) / (4 * n), (windows**2).sum(axis=(0, 1, 3, 4)) / (16 * n)
    np.testing.assert_allclose(mean, first)
    np.testing.assert_allclose(var, second - first**2)


def differences(loss, array, h=1e-5):
    """Derivatives of ``loss()`` by every entry of an array."""
    out = np.empty(array.shape)
    for i in np.ndindex(array.shape):
        kept = array[i]
        array[i] = kept + h
        above = loss()
        array[i] = kept - h
        out[i] = (above - loss()) / (2 * h)
        array[i] = kept
    return out


def close(got, want):
    """As near as central differences of a smooth function come."""
    np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-8 + 1e-6 * np.abs(want).max())


def test_derivatives_of_a_normalised_batch(rng):
    x, e = rng.normal(size=(2, 4, 3, 2, 2, 3))
    gamma, beta = rng.normal(size=(2, 2))

    def loss():
        return np.sum(e * spatial.batch_norm(x, gamma, beta, *spatial.statistics(x)))

    for got, array in zip(spatial.batch_norm_adjoint(x, e, gamma), (x, gamma, beta), strict=True):
        close(got, differences(loss, array))


def conv_pool_norm(rng):
    """A convolution, average pooling and batch norm, a second with the same behind it, and a dense layer."""
    norms = [walk.BatchNorm(rng.normal(1.0, 0.3, n), rng.uniform(0.1, 0.5, n)) for n in (3, 4)]
    return [
        ((), walk.Conv(rng.normal(0.3, 0.6, (2, 3, 3, 3)))),
        ((walk.AveragePool(2), norms[0]), walk.Conv(rng.normal(0.2, 0.8, (3, 2, 2, 4)), padding=1)),
        ((walk.AveragePool(2), norms[1]), walk.Dense(rng.normal(0.3, 1.0, (4, 6)))),
    ]


def conv_sum_pool_dropout(rng):
    """A convolution in groups, spiking sum pool, dropout, and a dense layer."""
    return [
        ((), walk.Conv(rng.normal(0.3, 0.6, (1, 3, 3, 4)), padding=1, groups=2)),
        ((), walk.SumPool(2, 0.6)),
        ((walk.Dropout(rng.random((3, 4, 3, 3)) < 0.7, 0.3),), walk.Dense(rng.normal(0.2, 0.7, (36, 6)))),
    ]


@pytest.mark.parametrize("build", [conv_pool_norm, conv_sum_pool_dropout])
@pytest.mark.parametrize("dt", [1.0, 0.5])
def test_the_explicit_gradient_is_the_derivative_of_the_smooth_network(rng, build, dt):
    p = SimpleNamespace(theta=1.0, tau_syn=3.0, tau_rho=3.0, scale_rho=1.3)
    n_ticks, n_samples = 8, 3
    network = build(rng)
    network[-1][1].w[:, 0] = 0.5  # one neuron that certainly reaches threshold
    s = (rng.random((n_ticks, n_samples, 2, 6, 6)) < 0.2).astype(float)
    target = rng.random((n_ticks, n_samples, 6, 1, 1))

    def rates():
        return walk.forward(network, s, p, dt, walk.smooth(p, dt))

    def loss():
        return 0.5 * dt * np.sum((rates()[-1].spikes / dt - target) ** 2)

    walked = rates()
    for step in walked:
        assert step.u.min() < p.theta < step.u.max()  # both branches of R
    gradients = walk.backward(network, walked, walked[-1].spikes / dt - target, p, dt, [INF] * 3)
    for (stages, layer), (by_weights, by_stages) in zip(network, gradients, strict=True):
        if by_weights is not None:
            close(by_weights, differences(loss, layer.w))
        for stage, by_parameters in zip(stages, by_stages, strict=True):
            parameters = (stage.gamma, stage.beta) if by_parameters else ()
            for got, array in zip(by_parameters, parameters, strict=True):
                assert np.abs(got).max() > 0
                close(got, differences(loss, array))

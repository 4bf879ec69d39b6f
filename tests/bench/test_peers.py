"""The peers of the benchmark beside a slow network on torch in float64: spikes, and gradients by autograd."""

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the peers need torch; pip install 'eventsim[bench]'")

import contestants  # noqa: E402 - only where there is torch
import peers  # noqa: E402
from peers.dense_srm import DenseSRM  # noqa: E402

# The peers and torch warn of what they do themselves.
pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore")]

SRM = {"theta": 1.0, "tau_syn": 4.0, "tau_ref": 1.0, "scale_ref": 2.0, "tau_rho": 1.0, "scale_rho": 1.0, "dt": 1.0}
N_TICKS, N_SAMPLES = 25, 3
# Potentials this near the threshold could fall on either side in float32.
NEAR = 1e-4


class Fires(torch.autograd.Function):
    """Spikes of potentials; backward, the surrogate."""

    @staticmethod
    def forward(context, u):
        context.save_for_backward(u)
        return (u >= SRM["theta"]).double()

    @staticmethod
    def backward(context, e):
        (u,) = context.saved_tensors
        width = SRM["tau_rho"] * SRM["theta"]
        return e * SRM["scale_rho"] / width * torch.exp(-(u - SRM["theta"]).abs() / width)


def psp(values, tau):
    """The sum over earlier ticks of an alpha kernel times values [T, ...]."""
    t = torch.arange(len(values), dtype=torch.float64)
    kernel = t / tau * torch.exp(1 - t / tau)
    return torch.stack([(kernel[: i + 1].flip(0).view(-1, *[1] * (values.dim() - 1)) * values[: i + 1]).sum(0)
                        for i in range(len(values))])


def neurons(currents):
    """(spikes, potentials) of currents [T, ...]; the refractory term carries no gradient."""
    drive = psp(currents, SRM["tau_syn"])
    spikes, potentials = [], []
    for i in range(len(currents)):
        refractory = torch.zeros_like(drive[0])
        for j, earlier in enumerate(spikes):
            age = (i - j) / SRM["tau_ref"]
            refractory -= SRM["scale_ref"] * SRM["theta"] * age * math.exp(1 - age) * earlier.detach()
        potentials.append(drive[i] + refractory)
        spikes.append(Fires.apply(potentials[-1]))
    return torch.stack(spikes), torch.stack(potentials)


def network(stages, x, training):
    """(spikes of every layer of neurons, least |u - theta|) of stages whose arrays are tensors."""
    layers, least = [], math.inf
    for stage in stages:
        rows = x.flatten(0, 1)
        if stage["kind"] == "average_pool":
            rows = torch.nn.functional.avg_pool2d(rows, stage["size"])
        elif stage["kind"] == "batch_norm":
            mean, var = stage["mean"], stage["var"]
            if training:
                over = [i for i in range(rows.dim()) if i != 1]
                var, mean = torch.var_mean(rows, over, correction=0)
            shape = 1, -1, *[1] * (rows.dim() - 2)
            rows = (rows - mean.view(shape)) / (var.view(shape) + 1e-5).sqrt()
            rows = rows * stage["gamma"].view(shape) + stage["beta"].view(shape)
        elif stage["kind"] == "conv":
            rows = torch.nn.functional.conv2d(
                rows, stage["weight"], stride=stage["stride"], padding=stage["padding"], dilation=stage["dilation"],
                groups=stage["groups"],
            )
        else:
            rows = rows.flatten(1) @ stage["weight"]
        x = rows.view(*x.shape[:2], *rows.shape[1:])
        if stage["kind"] in ("conv", "dense"):
            x, u = neurons(x)
            layers.append(x)
            least = min(least, (u - SRM["theta"]).abs().min().item())
    return layers, least


def conv(rng, n_in, n_out, size, stride=1, padding=0, dilation=1, groups=1, scale=0.4):
    weight = rng.normal(0.03, scale, (n_out, n_in // groups, size, size)).astype(np.float32)
    return {"kind": "conv", "weight": weight, "stride": stride, "padding": padding, "dilation": dilation,
            "groups": groups}


def dense(rng, n_in, n_out, scale=0.3):
    return {"kind": "dense", "weight": rng.normal(0.02, scale, (n_in, n_out)).astype(np.float32)}


def pool(size):
    return {"kind": "average_pool", "size": size}


def norm(rng, n):
    draw = {"gamma": (0.5, 1.0), "beta": (0.0, 0.2), "mean": (0.05, 0.2), "var": (0.05, 0.2)}
    return {"kind": "batch_norm", **{k: rng.uniform(*v, n).astype(np.float32) for k, v in draw.items()}}


# By what they have that others have not; inputs of 12 x 11 pixels and 2 channels, or 40 neurons.
NETWORKS = {
    "table I": ((2, 12, 11), lambda rng: [
        conv(rng, 2, 8, 3), pool(2), norm(rng, 8), conv(rng, 8, 6, 2), pool(2), norm(rng, 6), dense(rng, 12, 9),
        dense(rng, 9, 4),
    ]),
    "options": ((2, 12, 11), lambda rng: [
        conv(rng, 2, 6, 3, stride=2, padding=2), norm(rng, 6), conv(rng, 6, 4, 2, padding=1, dilation=2, groups=2),
        dense(rng, 4 * 7 * 7, 4),
    ]),
    "windows that leave a border": ((2, 12, 11), lambda rng: [
        conv(rng, 2, 5, 1, scale=1.0), pool(3), conv(rng, 5, 4, 3), norm(rng, 4), dense(rng, 8, 4),
    ]),
    "pool of the input": ((2, 12, 11), lambda rng: [pool(2), norm(rng, 2), conv(rng, 2, 3, 3), dense(rng, 36, 4)]),
    "dense": ((40,), lambda rng: [dense(rng, 40, 30), norm(rng, 30), dense(rng, 30, 20), dense(rng, 20, 4)]),
}


def scene(name, rng):
    """(stages, x, labels): a network that fires in all layers, nowhere so near threshold that float32 may differ."""
    shape, make = NETWORKS[name]
    labels = torch.tensor([0, 1, 2])
    for _ in range(50):
        stages = make(rng)
        x = torch.tensor((rng.random((N_TICKS, N_SAMPLES, *shape)) < 0.15).astype(np.float32))
        apart = []
        for training in (False, True):
            spikes, least = network(leaves(stages), x.double(), training)
            rates = [layer.mean().item() for layer in spikes]
            apart.append(least > NEAR and min(rates) > 0.02 and max(rates) < 0.7)
        if all(apart):
            return stages, x, labels
    raise AssertionError("no weights keep potentials away from the threshold")


def leaves(stages):
    """The stages with arrays as float64 tensors, of which those that are trained take gradients."""
    out = []
    for stage in stages:
        stage = {k: torch.tensor(v, dtype=torch.float64) if isinstance(v, np.ndarray) else v for k, v in stage.items()}
        for name in ("weight", "gamma", "beta"):
            if name in stage:
                stage[name].requires_grad_()
        out.append(stage)
    return out


def trained(peer, x, labels):
    """(loss, gradients of all parameters) of a step of a peer."""
    found = []
    peer.optimizer.step = lambda: found.extend(p.grad.clone() for layer in peer.layers for p in layer.parameters)
    return peer.step(x, labels).item(), found


def gradients(stages):
    """Gradients of tensors in stages, in the order and layout that a peer has its parameters in."""
    out, norm = [], []
    for stage in stages:
        if stage["kind"] == "batch_norm":
            norm = [stage["gamma"].grad, stage["beta"].grad]
        elif "weight" in stage:
            grad = stage["weight"].grad
            out, norm = [*out, grad if stage["kind"] == "conv" else grad.T, *norm], []
    return out


@pytest.mark.parametrize("name", NETWORKS)
def test_the_dense_model_gives_the_same_spikes_and_gradients(name, rng):
    stages, x, labels = scene(name, rng)
    peer, reference = DenseSRM(stages, SRM), leaves(stages)
    spikes, _ = network(reference, x.double(), training=False)
    for _ in range(2):  # the second time with weights made ready
        assert torch.equal(peer.infer(x).double(), spikes[-1].sum(0))
    given = x
    for i, layer in enumerate(spikes):
        given = torch.cat(list(peer.spikes(i, peer.images(given), N_SAMPLES))).reshape(layer.shape)
        assert torch.equal(given.double(), layer)
    assert peer.activity(x) == pytest.approx([layer.sum().item() / layer[0].numel() for layer in spikes])

    spikes, _ = network(reference, x.double(), training=True)
    c = peer.errors(spikes[-1].sum(0), labels, N_TICKS)
    wanted = 0.5 * N_TICKS * (c**2).sum()
    wanted.backward()
    loss, found = trained(peer, x, labels)
    assert loss == pytest.approx(wanted.item(), rel=1e-5)
    for a, b in zip(found, gradients(reference), strict=True):
        assert a.shape == b.shape and (a - b).abs().max() <= 2e-5 * b.abs().max()


def test_running_statistics_take_in_a_tenth_of_a_batch_s(rng):
    stages, x, labels = scene("pool of the input", rng)
    peer = DenseSRM(stages, SRM)
    peer.step(x, labels)
    norm = torch.nn.BatchNorm2d(2)
    norm.running_mean, norm.running_var = (torch.tensor(stages[1][name]) for name in ("mean", "var"))
    norm(torch.nn.functional.avg_pool2d(x.flatten(0, 1), 2))
    assert torch.allclose(peer.layers[0].norm.mean, norm.running_mean, rtol=1e-5, atol=0)
    assert torch.allclose(peer.layers[0].norm.var, norm.running_var, rtol=1e-5, atol=0)


PACKAGES = [name for name in peers.PEERS if "torch)" not in name]


def eager(peer, x, training):
    """Spikes of every layer of a package's peer: over all ticks at once, by torch itself, nothing compiled."""
    out = []
    for layer in peer.layers:
        rows = x.flatten(0, 1)
        rows = torch.nn.functional.avg_pool2d(rows, layer.pool) if layer.pool > 1 else rows
        rows = rows if layer.norm is None else layer.norm(rows, training)
        currents = layer.synapses.currents(rows, layer.weight)
        currents = currents.view(*x.shape[:2], *currents.shape[1:])
        x = peer.neurons()(currents, torch.zeros_like(currents[0]))[0]
        out.append(x)
    return out


@pytest.mark.parametrize("name", PACKAGES)
def test_a_package_runs_convolutions_as_it_would_by_itself(name, rng):
    if name not in contestants.installed():
        pytest.skip(f"{name}: {peers.available()[1][name]}; pip install 'eventsim[bench]'")
    stages, x, labels = scene("table I", rng)
    peer = peers.load(name)(stages, SRM)
    peer.calibrate(x, [5.0, 5.0, 5.0, 6.0])
    mean = torch.nn.functional.avg_pool2d(eager(peer, x, False)[0].flatten(0, 1), 2).mean((0, 2, 3))
    assert torch.allclose(peer.layers[1].norm.mean, mean, atol=1e-6)
    assert peer.activity(x) == pytest.approx([5.0, 5.0, 5.0, 6.0], rel=0.1)

    spikes = eager(peer, x, False)
    differ = (peer.infer(x) - spikes[-1].sum(0)).abs().sum() / spikes[-1].sum()
    assert differ < 0.05
    parameters = [p for layer in peer.layers for p in layer.parameters]
    counts = eager(peer, x, True)[-1].sum(0)
    loss = 0.5 * N_TICKS * (peer.errors(counts, labels, N_TICKS) ** 2).sum()
    wanted = torch.autograd.grad(loss, parameters)
    found_loss, found = trained(peer, x, labels)
    assert found_loss == pytest.approx(loss.item(), rel=0.05)
    for a, b in zip(found, wanted, strict=True):
        assert torch.nn.functional.cosine_similarity(a.flatten(), b.flatten(), 0) > 0.98


def test_stages_that_no_layer_can_have_are_refused(rng):
    for wrong in ([pool(2), pool(2)], [norm(rng, 2), pool(2)], [{"kind": "dropout"}]):
        with pytest.raises(ValueError, match="there is no place for"):
            DenseSRM([*wrong, dense(rng, 4, 2)], SRM)

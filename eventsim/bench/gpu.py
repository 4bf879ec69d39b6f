"""A GPU: what it can give, whole runs, and their phases against the floors that memory and arithmetic set."""

from dataclasses import dataclass, replace

import numpy as np

from eventsim.bench.scene import STILL, Scene
from eventsim.bench.timing import median, seconds
from eventsim.engine import forward
from eventsim.engine.gpu.devices import on_device
from eventsim.kernels.layout import TILE, n_tiles
from eventsim.kernels.spec.cuda import KERNELS
from eventsim.trainer import Trainer

_ROW = 4 * TILE  # bytes
_INDEX = 4  # bytes of what says which row
_ADAM = 6 * 4  # bytes of a weight and its two moments, read and written
_MEMORY = 1 << 31  # bytes, more than any second-level cache holds
_READ = 1 << 33  # bytes that one measurement reads
_LATENCY_RUNS = 50
_REPEATS = 7
_BLOCKS_A_MULTIPROCESSOR = 8
# Additions of float32 that a multiprocessor can begin in a cycle, from Volta on; the compute capabilities with 64.
_LANES, _FEW_LANES, _WITH_FEW = 128, 64, ((7, 0), (7, 2), (7, 5), (8, 0))

# The phases, by the files that kernels are in, and by kernels that are elsewhere than their work.
_FILES = {
    "bin": "spike lists", "lists": "spike lists", "groups": "spike lists", "patches": "spike lists",
    "times": "spike lists", "stages": "stages", "weights": "rows of weights", "dense": "forward", "lif": "forward",
    "sparse": "forward", "delayed": "forward", "readout": "forward", "exact": "forward", "lif_sweep": "forward",
    "exact_patches": "forward", "lif_patches": "forward", "active": "active sets",
    "dense_adjoint": "adjoint", "output_error": "adjoint",
    "weight_gradient": "weight gradient", "normalising": "weight gradient",
    "send": "error sent down", "optimizer": "optimiser",
}
_KERNELS = {"add_scaled": "weight gradient"}


@dataclass(frozen=True)
class Rates:
    """What a GPU can give: bytes/s that it reads of half its second-level cache and of its memory, and additions/s."""

    name: str
    l2_bytes: int
    multiprocessors: int
    l2_read: float
    memory_read: float
    additions: float


@dataclass(frozen=True)
class Floor:
    """A phase of one batch: seconds a sample, and the least that bytes and additions of float32 can take.

    bytes, additions : a sample; None where nobody counts them
    """

    name: str
    seconds: float
    bytes: float | None = None
    additions: float | None = None
    by_bytes: float | None = None
    by_additions: float | None = None

    @property
    def share(self) -> float | None:
        """What share of the time the larger of both floors is."""
        if self.by_bytes is None or self.seconds <= 0.0:
            return None
        return max(self.by_bytes, self.by_additions) / self.seconds


def read_rate(device, n_bytes) -> float:
    """Bytes/s at which a device reads ``n_bytes`` over and over."""
    n_rows = max(1, n_bytes // _ROW)
    parts = min(_BLOCKS_A_MULTIPROCESSOR * device.multiprocessors, n_rows)
    repeats = max(1, _READ // (n_rows * _ROW))
    arguments = {
        "n_parts": parts, "n_rows": n_rows, "repeats": repeats, "rows": device.zeros((n_rows, TILE), np.float32),
        "total": device.empty((4 * parts, TILE), np.float32),
    }
    took = [_kernels(device, lambda: device.launch("read_rows", **arguments))["read_rows"] for _ in range(_REPEATS)]
    return repeats * n_rows * _ROW / float(np.median(took[2:]))


def measure(device) -> Rates:
    """Measure a device."""
    lanes = _FEW_LANES if device.compute_capability in _WITH_FEW else _LANES
    return Rates(device.name, device.l2_bytes, device.multiprocessors, read_rate(device, device.l2_bytes // 2),
                 read_rate(device, _MEMORY), lanes * device.multiprocessors * device.clock)


def _kernels(device, function):
    with device.timed() as taken:
        function()
    return taken


def _waited(device, function):
    """A call that ends when the device has done what it launched."""
    def call():
        function()
        device.synchronize()
    return call


def run(scene: Scene, device, rates: Rates) -> dict:
    """Time a sample of a batch of inference and of a training step, the latency of one sample, and all phases."""
    scene = replace(scene, network=on_device(scene.network, device))
    samples, one = scene.spikes.n_samples, scene.spikes.sample(0)
    trainer = Trainer(scene.network, batch_size=samples)
    tasks = {
        "inference": lambda: forward(scene.network, scene.spikes),
        "training": lambda: trainer.step(scene.spikes, scene.labels, STILL),
    }
    alone = seconds(_waited(device, lambda: forward(scene.network, one)), _LATENCY_RUNS, warm_up=5)
    trace = forward(scene.network, scene.spikes, supports=scene.supports)
    work = floors(scene, trace)
    out = {"activity": scene.activity(), "synops": trace.synops / samples,
           "latency": {"median": float(np.median(alone)), "p99": float(np.quantile(alone, 0.99)),
                       "runs": _LATENCY_RUNS}}
    for name, task in tasks.items():
        out[name] = median(_waited(device, task)) / samples
        out[f"{name}_phases"] = phases(device, task, out[name], samples, work, rates)
    return out


def phase_of(kernel) -> str:
    """What a kernel works at."""
    return _KERNELS.get(kernel) or _FILES.get(KERNELS[kernel].file, KERNELS[kernel].file)


def phases(device, task, whole, samples, work, rates) -> list[Floor]:
    """What every phase takes a sample, by the median of its times, and what is left of the ``whole`` besides kernels.

    work : see `floors`
    """
    runs = []
    for _ in range(_REPEATS):
        taken = {}
        for kernel, took in _kernels(device, task).items():
            taken[phase_of(kernel)] = taken.get(phase_of(kernel), 0.0) + took / samples
        runs.append(taken)
    out = []
    for name in runs[0]:
        took, given = float(np.median([taken[name] for taken in runs])), work.get(name)
        floor = () if given is None else (
            given["l2"] + given["memory"], given["additions"],
            given["l2"] / rates.l2_read + given["memory"] / rates.memory_read, given["additions"] / rates.additions,
        )
        out.append(Floor(name, took, *floor))
    return [*out, Floor("between kernels", max(0.0, whole - sum(p.seconds for p in out)))]


def floors(scene, trace) -> dict:
    """Bytes and additions of float32 a sample that phases cannot do without, by name.

    A spike reads a row of weights from every tile that it reaches, and on the way back one of g. An error that is sent
    down multiplies both for every active pair below and tile above; it reads the weights for every neuron below with
    active ticks in a chunk, and g once, where the first-level caches hold both meanwhile. Weights come from the
    second-level cache if all of them fit, else from memory, g of some samples at a time always does; a weight with its
    moments goes through memory.
    """
    device, samples = scene.network.device, scene.spikes.n_samples
    layers, below = scene.network.layers, None
    rows = sent = entries = held = written = read = 0
    for layer, done in zip(layers, trace.layers, strict=True):
        rows += done.rows
        held += done.wiring.weight.nbytes
        own, reached = done.wiring.n_items * scene.spikes.n_ticks, _tiles_reached(layer)
        written += own
        if below is not None:
            sent += below.n_pairs * reached
            entries += (TILE * below.n_blocks if below.full else len(below.entry_lane)) * reached
            read += own
        below = done.active
    fits = held <= device.l2_bytes

    def work(additions, weight_rows=0, g_rows=0, memory=0.0):
        of_weights, of_g = ((_ROW + _INDEX) * n / samples for n in (weight_rows, g_rows))
        return {"additions": additions / samples, "l2": of_g + (of_weights if fits else 0.0),
                "memory": memory / samples + (0.0 if fits else of_weights)}

    return {
        "forward": work(TILE * rows, weight_rows=rows),
        "weight gradient": work(TILE * rows, g_rows=rows, memory=_ADAM * scene.network.n_weights),
        "error sent down": work(TILE * sent, weight_rows=entries, g_rows=read),
        "adjoint": work(2 * TILE * written, g_rows=written),
    }


def _tiles_reached(layer):
    """Tiles that a neuron before a layer reaches, on average over the pixels of a convolution."""
    if layer.patches is None:
        return n_tiles(layer.n_out)
    ptr = layer.patches.reach[0]
    return layer.patches.channel_tiles * float(ptr[-1]) / max(1, len(ptr) - 1)

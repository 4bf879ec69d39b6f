"""Whole runs: time a sample of inference and of a training step, latency of one sample, threads."""

import numpy as np

from eventsim.bench.scene import STILL
from eventsim.bench.timing import median, on_threads, seconds
from eventsim.engine import forward
from eventsim.kernels import threads
from eventsim.model.precision import WEIGHTS
from eventsim.trainer import Trainer

_LATENCY_RUNS = 200


def inference(scene, weights="float32") -> float:
    """Seconds a sample of a batch."""
    network = scene.network.with_weights(weights)
    return median(lambda: forward(network, scene.spikes)) / scene.spikes.n_samples


def training(scene) -> float:
    """Seconds a sample of a training step: forward, loss, backward, Adam."""
    trainer = Trainer(scene.network, batch_size=scene.spikes.n_samples)
    return median(lambda: trainer.step(scene.spikes, scene.labels, STILL)) / scene.spikes.n_samples


def latency(scene, weights="float32") -> dict:
    """Median and 99th percentile, s, of one sample run by itself."""
    network, one = scene.network.with_weights(weights), scene.spikes.sample(0)
    took = seconds(lambda: forward(network, one), _LATENCY_RUNS, warm_up=5)
    return {"median": float(np.median(took)), "p99": float(np.quantile(took, 0.99)), "runs": _LATENCY_RUNS}


def measure(scene) -> dict:
    """Time a sample of everything, and how much faster all threads are than one."""
    out = {"activity": scene.activity(), "synops": forward(scene.network, scene.spikes).synops / scene.spikes.n_samples}
    out["inference"] = {weights: inference(scene, weights) for weights in WEIGHTS}
    out["training"] = training(scene)
    out["latency"] = {weights: latency(scene, weights) for weights in WEIGHTS}
    if threads() > 1:
        with on_threads(1):
            one = inference(scene), training(scene)
        out["speedup"] = {"threads": threads(), "inference": one[0] / out["inference"]["float32"],
                          "training": one[1] / out["training"]}
    return out

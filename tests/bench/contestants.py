"""Contestants of `compare`, each served in a process of its own: eventsim, and the peers."""

import importlib.metadata
import time

import numpy as np
import peers

OURS = "eventsim"
_PRECISIONS = ("float32", "float16", "int8")


def installed(only=None):
    """Names of the peers that can run here (of ``only``, where it is given); raises `ValueError` for unknown names."""
    classes, reasons = peers.available()
    unknown = set(only or ()) - classes.keys() - reasons.keys()
    if unknown:
        raise ValueError(f"there is no peer {min(unknown)!r}; the peers are {', '.join(peers.PEERS)}")
    return [name for name in classes if only is None or name in only]


def save(scene, path):
    """Write what contestants need to know of a scene."""
    network, spikes, neuron = scene.network, scene.spikes, scene.network.neuron
    srm = {name: getattr(neuron, name) for name in ("theta", "tau_syn", "tau_ref", "scale_ref", "tau_rho", "scale_rho")}
    np.savez(
        path, arch=network.arch.notation, n_ticks=spikes.n_ticks, labels=scene.labels, sample_ptr=spikes.sample_ptr,
        tick=spikes.tick, address=spikes.address, activity=scene.activity(),
        srm_names=[*list(srm), "dt"], srm_values=[*srm.values(), network.dt],
        **{f"weight{i}": layer.weight for i, layer in enumerate(network.layers)},
    )


def serve(name, path, threads, pipe):
    """Answer requests until the pipe closes: ("prepare",), ("run", task) and ("memory",)."""
    contestant = None
    while True:
        try:
            request, *arguments = pipe.recv()
        except EOFError:
            return
        try:
            if request == "prepare":
                contestant = (Eventsim if name == OURS else Torch)(name, path, threads)
                answer = contestant.prepare()
            else:
                answer = getattr(contestant, request)(*arguments)
            pipe.send((True, answer))
        except Exception as error:  # whatever goes wrong in a peer is that peer's result
            pipe.send((False, f"{type(error).__name__}: {error}"))


class _Contestant:
    """Tasks by name; ``run`` times one, a sample."""

    def __init__(self, path, before):
        self.scene = np.load(path)
        self.labels = self.scene["labels"]
        self.weights = [self.scene[f"weight{i}"] for i in range(sum(name[:6] == "weight" for name in self.scene))]
        self.before = before
        self.tasks = {}

    def run(self, task):
        """Seconds a sample."""
        started = time.perf_counter()
        self.tasks[task]()
        return (time.perf_counter() - started) / len(self.labels)

    def memory(self):
        """Bytes: the peak so far, and before the network was built."""
        from eventsim.bench.memory import peak_resident

        return {"before": self.before, "peak": peak_resident()}


class Eventsim(_Contestant):
    """eventsim itself, in every precision of weights."""

    def __init__(self, name, path, threads):
        from eventsim import SRM, Network, Spikes, kernels
        from eventsim.bench.memory import peak_resident
        from eventsim.bench.scene import STILL
        from eventsim.engine import forward
        from eventsim.trainer import Trainer
        from eventsim.trainer.warm_up import warm_up

        kernels.set_threads(threads)
        warm_up()
        super().__init__(path, peak_resident())
        scene = self.scene
        srm = dict(zip(scene["srm_names"].tolist(), scene["srm_values"].tolist(), strict=True))
        network = Network(str(scene["arch"]), SRM(**{k: v for k, v in srm.items() if k != "dt"}), dt=srm["dt"],
                          n_ticks=int(scene["n_ticks"]), seed=None)
        for layer, weight in zip(network.layers, self.weights, strict=True):
            layer.weight = weight
        self.spikes = Spikes(scene["sample_ptr"], scene["address"], tick=scene["tick"], n_neurons=len(self.weights[0]),
                             n_ticks=network.n_ticks, dt=network.dt)
        trainer = Trainer(network, batch_size=len(self.labels))
        self.networks = {p: network.with_weights(p) for p in _PRECISIONS}
        self.tasks = {f"inference {p}": lambda n=n: forward(n, self.spikes) for p, n in self.networks.items()}
        self.tasks["training"] = lambda: trainer.step(self.spikes, self.labels, STILL)
        self.forward = forward

    def prepare(self):
        """What it is and gives."""
        counts = {p: self.forward(n, self.spikes).output.counts() for p, n in self.networks.items()}
        return {
            "version": importlib.metadata.version("eventsim"), "neuron": "SRM, alpha kernels", "exact": True,
            "tasks": list(self.tasks), "activity": self.scene["activity"].tolist(), "counts": counts["float32"],
        }


class Torch(_Contestant):
    """A peer."""

    def __init__(self, name, path, threads):
        import torch

        from eventsim.bench.memory import peak_resident

        torch.set_num_threads(threads)
        cls = peers.load(name)
        super().__init__(path, peak_resident())
        scene, n_samples = self.scene, len(self.labels)
        srm = dict(zip(scene["srm_names"].tolist(), scene["srm_values"].tolist(), strict=True))
        self.x = torch.zeros(int(scene["n_ticks"]), n_samples, len(self.weights[0]))
        sample = np.repeat(np.arange(n_samples), np.diff(scene["sample_ptr"]))
        self.x[scene["tick"].astype(np.int64), sample, scene["address"].astype(np.int64)] = 1.0
        labels = torch.tensor(self.labels)
        self.peer = cls(self.weights, srm, learning_rate=1e-12)
        self.tasks = {"inference": lambda: self.peer.infer(self.x), "training": lambda: self.peer.step(self.x, labels)}

    def prepare(self):
        """Scale the layers where the model is another one, and say what it is and gives."""
        if not self.peer.same_model:
            self.peer.calibrate(self.x, self.scene["activity"].tolist())
        return {
            "version": f"{self.peer.package} {self.peer.version()}", "neuron": self.peer.neuron,
            "exact": self.peer.same_rounding, "tasks": list(self.tasks), "activity": self.peer.activity(self.x),
            "counts": self.peer.infer(self.x).numpy().astype(np.int64),
        }

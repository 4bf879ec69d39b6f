"""Contestants of `compare`, each served in a process of its own: eventsim, and the peers."""

import importlib.metadata
import json
import statistics
import time

import numpy as np
import peers

OURS = "eventsim"
_NORM = ("gamma", "beta", "running_mean", "running_var")
_PRECISIONS = ("float32", "float16", "int8")
_TRACES = 5  # whose median time is a layer's


def installed(only=None):
    """Names of the peers that can run here (of ``only``, where it is given); raises `ValueError` for unknown names."""
    classes, reasons = peers.available()
    unknown = set(only or ()) - classes.keys() - reasons.keys()
    if unknown:
        raise ValueError(f"there is no peer {min(unknown)!r}; the peers are {', '.join(peers.PEERS)}")
    return [name for name in classes if only is None or name in only]


def save(scene, path):
    """Write what contestants need to know of a scene."""
    network, spikes = scene.network, scene.spikes
    norms = {f"norm{i}": np.stack([getattr(stage, name) for name in _NORM])
             for i, layer in enumerate(network.layers) for stage in layer.stages if stage.kind == "batch_norm"}
    np.savez(
        path, config=json.dumps(network.config()), n_ticks=spikes.n_ticks, labels=scene.labels,
        sample_ptr=spikes.sample_ptr, tick=spikes.tick, address=spikes.address, activity=scene.activity(), **norms,
        **{f"weight{i}": layer.weight for i, layer in enumerate(network.layers)},
    )


def restored(scene):
    """The network of a scene that `save` wrote."""
    from eventsim import Network

    network = Network.from_config(json.loads(str(scene["config"])))
    for i, layer in enumerate(network.layers):
        layer.weight = scene[f"weight{i}"]
        for stage in layer.stages:
            if stage.kind == "batch_norm":
                for name, values in zip(_NORM, scene[f"norm{i}"], strict=True):
                    setattr(stage, name, values)
    return network


def stages_of(network):
    """A network as the peers take it, see `peers.stages`; raises `ValueError` for what they do not have."""
    out = []
    for layer in network.layers:
        for stage in layer.stages:
            if stage.kind == "average_pool":
                out.append({"kind": "average_pool", "size": stage.size})
            elif stage.kind == "batch_norm":
                mean, var = stage.running_mean, stage.running_var
                out.append({"kind": "batch_norm", "gamma": stage.gamma, "beta": stage.beta, "mean": mean, "var": var})
            else:
                raise ValueError(f"the peers have no {stage.kind}; compare a network without it")
        if layer.kind == "conv":
            window = layer.window
            out.append({
                "kind": "conv", "weight": layer.weight.transpose(3, 0, 1, 2), "stride": window.stride,
                "padding": window.padding, "dilation": window.dilation, "groups": layer.groups,
            })
        elif layer.kind == "dense":
            out.append({"kind": "dense", "weight": layer.weight})
        else:
            raise ValueError(f"the peers have no {layer.kind} layers; compare a network without them")
    return out


def serve(name, path, threads, device, pipe):
    """Answer requests until the pipe closes: ("prepare",), ("run", task) and ("memory",).

    device : "cpu" or "gpu", where everything is computed
    """
    contestant = None
    while True:
        try:
            request, *arguments = pipe.recv()
        except EOFError:
            return
        try:
            if request == "prepare":
                contestant = (Eventsim if name == OURS else Torch)(name, path, threads, device)
                answer = contestant.prepare()
            else:
                answer = getattr(contestant, request)(*arguments)
            pipe.send((True, answer))
        except Exception as error:  # whatever goes wrong in a peer is that peer's result
            pipe.send((False, f"{type(error).__name__}: {error}"))


class _Contestant:
    """Tasks by name; ``run`` times one, a sample, until the device has done it."""

    def __init__(self, path, before):
        self.scene = np.load(path)
        self.labels = self.scene["labels"]
        self.network = restored(self.scene)
        self.before = before
        self.tasks = {}

    def run(self, task):
        """Seconds a sample."""
        started = time.perf_counter()
        self.tasks[task]()
        self.wait()
        return (time.perf_counter() - started) / len(self.labels)

    def wait(self):
        """Wait until the device has done what it was asked to."""

    def memory(self):
        """Bytes: the peak so far, and before the network was built; of a GPU what was taken of its memory."""
        return {"before": self.before, "peak": self.peak()}

    def peak(self):
        """Most bytes so far."""
        from eventsim.bench.memory import peak_resident

        return peak_resident()


class Eventsim(_Contestant):
    """eventsim itself, in every precision of weights."""

    def __init__(self, name, path, threads, device):
        from eventsim import Spikes, kernels
        from eventsim.bench.memory import peak_resident
        from eventsim.bench.scene import STILL
        from eventsim.engine import forward
        from eventsim.trainer import Trainer
        from eventsim.trainer.warm_up import warm_up

        kernels.set_threads(threads)
        warm_up(restored(np.load(path)).to(device))
        super().__init__(path, 0 if device == "gpu" else peak_resident())
        scene, network = self.scene, self.network.to(device)
        self.network = network
        self.spikes = Spikes(scene["sample_ptr"], scene["address"], tick=scene["tick"],
                             n_neurons=network.arch.n_inputs, n_ticks=network.n_ticks, dt=network.dt)
        trainer = Trainer(network, batch_size=len(self.labels))
        self.networks = {p: network.with_weights(p) for p in _PRECISIONS}
        self.tasks = {f"inference {p}": lambda n=n: forward(n, self.spikes) for p, n in self.networks.items()}
        self.tasks["training"] = lambda: trainer.step(self.spikes, self.labels, STILL)
        self.forward = forward

    def wait(self):
        if self.network.device is not None:
            self.network.device.synchronize()

    def peak(self):
        return super().peak() if self.network.device is None else self.network.device.reserved()

    def prepare(self):
        """What it is and gives."""
        for network in self.networks.values():
            self.forward(network, self.spikes)
        traces = [self.forward(self.network, self.spikes) for _ in range(_TRACES)]
        trace = traces[0]
        layers = [
            {"name": runs[0].name, "touched": runs[0].touched,
             "seconds": statistics.median(run.seconds for run in runs) / len(self.labels)}
            for runs in zip(*(trace.layers for trace in traces), strict=True)
        ]
        return {
            "layers": layers, "counts": trace.output.counts(),
            "version": importlib.metadata.version("eventsim"), "neuron": "SRM, alpha kernels", "exact": True,
            "tasks": list(self.tasks), "activity": self.scene["activity"].tolist(),
        }


class Torch(_Contestant):
    """A peer."""

    def __init__(self, name, path, threads, device):
        import torch

        from eventsim.bench.memory import peak_resident

        torch.set_num_threads(threads)
        cls = peers.load(name)
        self.cuda = torch.cuda if device == "gpu" else None
        if self.cuda:
            torch.set_default_device("cuda")
        super().__init__(path, 0 if self.cuda else peak_resident())
        scene, n_samples, network = self.scene, len(self.labels), self.network
        names = ("theta", "tau_syn", "tau_ref", "scale_ref", "tau_rho", "scale_rho")
        srm = {name: getattr(network.neuron, name) for name in names} | {"dt": network.dt}
        self.x = torch.zeros(int(scene["n_ticks"]), n_samples, network.arch.n_inputs)
        sample = np.repeat(np.arange(n_samples), np.diff(scene["sample_ptr"]))
        places = (scene["tick"].astype(np.int64), sample, scene["address"].astype(np.int64))
        self.x[tuple(map(torch.tensor, places))] = 1.0
        if network.layers[0].stages or any(layer.kind == "conv" for layer in network.layers):
            shape = network.arch.input
            image = self.x.view(-1, shape.channels, shape.height, shape.width)
            self.x = image.contiguous(memory_format=torch.channels_last).unflatten(0, self.x.shape[:2])
        labels = torch.tensor(self.labels)
        self.peer = cls(stages_of(network), srm, learning_rate=1e-12)
        self.tasks = {"inference": lambda: self.peer.infer(self.x), "training": lambda: self.peer.step(self.x, labels)}

    def wait(self):
        if self.cuda:
            self.cuda.synchronize()

    def peak(self):
        return self.cuda.max_memory_reserved() if self.cuda else super().peak()

    def prepare(self):
        """Scale the layers where the model is another one, and say what it is and gives."""
        if not self.peer.same_model:
            self.peer.calibrate(self.x, self.scene["activity"].tolist())
        return {
            "version": f"{self.peer.package} {self.peer.version()}", "neuron": self.peer.neuron,
            "exact": self.peer.same_rounding, "tasks": list(self.tasks), "activity": self.peer.activity(self.x),
            "counts": self.peer.infer(self.x).cpu().numpy().astype(np.int64),
        }

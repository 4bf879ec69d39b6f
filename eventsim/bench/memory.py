"""Memory of a process, and the peak of a training step in one of its own, so that nothing else counts."""

import multiprocessing
import pathlib
import resource
import sys

from eventsim import kernels
from eventsim.bench.scene import STILL, build
from eventsim.errors import ConfigError
from eventsim.trainer import Trainer
from eventsim.trainer.warm_up import warm_up


def peak_resident() -> int:
    """Largest resident size of this process so far, bytes."""
    try:  # of this program; what `getrusage` gives includes what the process was before it ran it
        lines = pathlib.Path("/proc/self/status").read_text().splitlines()
        return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def resident() -> int:
    """Resident size of this process now, bytes; its largest so far where the system does not say."""
    try:
        pages = int(pathlib.Path("/proc/self/statm").read_text().split()[1])
        return pages * resource.getpagesize()
    except OSError:
        return peak_resident()


def _train(pipe, n_threads, settings):
    kernels.set_threads(n_threads)
    warm_up()
    before = peak_resident()
    scene = build(**settings)
    trainer = Trainer(scene.network, batch_size=scene.spikes.n_samples)
    for _ in range(2):
        trainer.step(scene.spikes, scene.labels, STILL)
    pipe.send({"before": before, "peak": peak_resident()})


def of_training(**settings) -> dict:
    """Bytes at the peak of a training step of `build` (settings), and before the network was built."""
    receiver, sender = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("spawn").Process(target=_train, args=(sender, kernels.threads(), settings))
    process.start()
    sender.close()
    try:
        return receiver.recv()
    except EOFError:
        raise ConfigError("the process whose memory is measured ended early; is there enough memory?") from None
    finally:
        process.join()

"""`Trainer`: the loop over epochs and batches, which can be stopped and taken up again at any batch."""

import time

import numpy as np

from eventsim.data import Dataset, Loader, Splits, open_dataset
from eventsim.data.encoders.binning import ticks_of
from eventsim.engine.backward import check_trainable
from eventsim.engine.feed import take_in_statistics
from eventsim.engine.gpu.devices import join, on_device, open_devices
from eventsim.engine.replicas import Replicas
from eventsim.errors import ConfigError, FormatError
from eventsim.model import Network
from eventsim.sensor import mismatch
from eventsim.trainer import checkpoint
from eventsim.trainer.calibrate import calibrate
from eventsim.trainer.config import TrainingConfig, settings_for
from eventsim.trainer.health import check_finite, warnings_of
from eventsim.trainer.interrupt import Interrupted, watch_for_interrupt
from eventsim.trainer.logs import ALWAYS, LOGS
from eventsim.trainer.losses import check_loss
from eventsim.trainer.metrics import Metrics
from eventsim.trainer.observer import Observers, listed
from eventsim.trainer.schedules import rate_at
from eventsim.trainer.scoring import score
from eventsim.trainer.warm_up import warm_up
from eventsim.trainer.worker import Worker, add_up
from eventsim.wording import several

_CALIBRATION_SAMPLES = 16
# What sets the masks of dropout apart from other random numbers of a training; not zero, and where others have nothing,
# since a seed is filled up with zeros.
_DROPOUT = 1
# Samples that a pass without training runs at once: enough to make little of what a batch costs by itself.
PASS_BATCH = 32


def evaluate(network, dataset, *, device=None, loss=None, regularizer=None, batch_size=PASS_BATCH, observer=None):
    """Run a network over a data set; returns the `Metrics`.

    device : as of `Trainer`; each of several GPUs runs samples of its own, and the metrics are those of one
    batch_size : samples that run at once on a device
    """
    loss = loss or TrainingConfig(**settings_for(network, {})).make_loss()
    check_fits(network, dataset)
    replicas = Replicas.of(network, _devices(network, device))
    loader = _pass_loader(replicas, dataset, batch_size)
    return score(replicas, loader, batch_size, loss, regularizer=regularizer, observer=observer)


def _devices(network, names):
    """The devices of these names; None: that where the network is."""
    return [network.device] if names is None else open_devices(names)


def check_fits(network, dataset):
    """Raise `ConfigError` unless the network takes the data set's events and has an output for each of its classes."""
    if dataset.sensor != network.sensor:
        raise ConfigError(mismatch(dataset.name, dataset.sensor, network.sensor))
    if dataset.n_classes > network.arch.n_outputs:
        raise ConfigError(
            f"the network has {several(network.arch.n_outputs, 'output')}, {dataset.name} has "
            f"{several(dataset.n_classes, 'class', 'classes')}; choose an architecture that ends with "
            f"{dataset.n_classes}"
        )


def make_loader(network, dataset, batch_size, indices=None, augment=None):
    """The `Loader` that feeds a data set to a network."""
    return Loader(
        dataset, indices, batch_size, network.dt, network.n_ticks, network.input_mode, clock=network.clock,
        augment=augment,
    )


def _pass_loader(replicas, dataset, batch_size):
    """The `Loader` for a pass: a batch for each of several networks at once, unless that could change the results.

    It could where the longest sample of a batch says how many ticks all have.
    """
    network, n = replicas.networks[0], len(replicas.networks)
    loader = make_loader(network, dataset, batch_size * n)
    return loader if n == 1 or loader.n_ticks is not None else make_loader(network, dataset, batch_size)


def as_splits(data, seed=0) -> Splits:
    """Training and validation data from a path, ``"synthetic"``, a `Dataset` or `Splits`."""
    if isinstance(data, Splits):
        return data
    if isinstance(data, Dataset):
        return Splits(data, None, "no validation data")
    return open_dataset(data, seed=seed)


class Trainer:
    """Trains a network by the explicit SLAYER gradient.

    Parameters
    ----------
    network : Network, trained in place
    device : what to train on, as of `Network.to`, "gpus" for all GPUs at once, or some as in "gpu:0,gpu:2"; None: where
        the network is. On others copies of it are trained, of which `network` is the first
    out : run folder for the checkpoint, written after every epoch and on interruption, and for history.jsonl and
        history.csv; None writes nothing
    provenance : dict kept in the checkpoint
    **settings : fields of `TrainingConfig`

    ``history`` has a record for each epoch. Raises `ConfigError` for settings that cannot work, and `DeviceError` where
    there is no such device, or several cannot be joined.

    Several GPUs take an even share of every batch each. Spikes, losses and statistics are those of one; gradients are
    added up in another order, always the same for the same GPUs.
    """

    def __init__(self, network, *, device=None, out=None, provenance=None, **settings):
        if not isinstance(network, Network):
            raise ConfigError(f"network must be a Network, got {network!r}")
        if network.weights != "float32":
            raise ConfigError(f"weights of {network.weights} are for inference; train the network in float32")
        devices = _devices(network, device)
        network = on_device(network, devices[0])
        check_trainable(network)
        unknown = set(settings) - set(TrainingConfig.__dataclass_fields__)
        if unknown:
            raise ConfigError(
                f"unknown training setting {sorted(unknown)[0]!r}; known are "
                f"{', '.join(TrainingConfig.__dataclass_fields__)}"
            )
        self.network = network
        self.config = TrainingConfig(**settings_for(network, settings))
        self.loss, self._regularizer = self.config.make_loss(), self.config.make_regularizer()
        check_loss(self.loss, network)
        self.out = None if out is None else checkpoint.check_writable(out)
        self.provenance = dict(provenance or {})
        self.epoch, self.position = 0, 0
        self.elapsed = 0.0  # s, of this epoch's batches
        self.history = []
        self.gains = None
        self._rng = np.random.default_rng(self.config.seed)
        self._epoch_rng_state = self._rng.bit_generator.state
        self._communicator = join(devices) if len(devices) > 1 else None
        self._replicas = Replicas.of(network, devices)
        ranks = range(len(devices)) if len(devices) > 1 else [None]
        self._workers = [Worker(each, self.config, self._check_losses, rank)
                         for each, rank in zip(self._replicas.networks, ranks, strict=True)]
        self.metrics = self._fresh_metrics()

    def _repr_html_(self):
        from eventsim.report.notebook import trainer  # the report imports this module, so it is looked up late

        return trainer.show(self)

    def _fresh_metrics(self):
        return Metrics(self.network, self.network.arch.n_outputs)

    # -- one step ------------------------------------------------------------------------------------------------------

    def step(self, spikes, labels, rate):
        """One optimiser step on a batch; adds to `metrics`."""
        for worker in self._workers:
            worker.begin(rate)
        key = [self.config.seed, self.epoch, self.position, _DROPOUT]

        def walk(worker, share):
            return worker.walk(spikes, labels, share, self.loss, self._regularizer)

        walked = self._replicas.each(walk, self._workers, len(labels), key)
        if self._communicator is not None:
            add_up(self._workers, self._communicator)
        for worker in self._workers:
            worker.update()
        take_in_statistics(self.network, walked[0].statistics)
        for share in walked:
            self.metrics.take_in(share.metrics)
        self.metrics.add_losses(np.concatenate([share.losses for share in walked]))

    def _check_losses(self, losses):
        check_finite(self, self.epoch + 1, losses)

    # -- the loop ------------------------------------------------------------------------------------------------------

    def fit(self, data="synthetic", observer=None):
        """Train for the configured epochs, or what is left of them; returns `history`.

        data : a path, ``"synthetic"``, a `Dataset`, or `Splits` with validation data
        observer : `Observer`, or several, such as ``[eventsim.trainer.logs.TensorBoard()]``

        SIGINT and SIGTERM stop after the batch that is running: the checkpoint is written and `Interrupted` raised.
        """
        observer = Observers([*self.own_logs(), *listed(observer)])
        splits = as_splits(data, self.config.seed)
        if splits.train is None or not len(splits.train):
            raise ConfigError("there are no training samples; a data set needs a Train folder")
        self._adopt(splits)
        augment = self.config.make_augment()
        loader = make_loader(self.network, splits.train, self.config.batch_size, augment=augment)
        validation = splits.validation and _pass_loader(self._replicas, splits.validation, PASS_BATCH)
        if self.config.calibrate and self.epoch == 0 and self.position == 0 and not self.history:
            self._calibrate(loader)
        self._replicas.follow()
        for network in self._replicas.networks:
            warm_up(network, self.config.make_optimizer)
        with watch_for_interrupt() as interrupt:
            observer.start(self, len(loader))
            while self.epoch < self.config.epochs:
                self._run_epoch(loader, observer, interrupt)
                self._close_epoch(splits, loader, validation, observer, interrupt)
                if interrupt.is_set() and self.epoch < self.config.epochs:
                    raise Interrupted(self.epoch, 0, len(loader))
        return self.history

    def own_logs(self):
        """The logs that every run with a folder keeps."""
        return [] if self.out is None else [LOGS[name]() for name in ALWAYS]

    def _adopt(self, splits):
        """Check the data against the network and, on resuming, against the data of before."""
        check_fits(self.network, splits.train)
        if splits.validation is not None:
            check_fits(self.network, splits.validation)
        fingerprint = splits.train.fingerprint()
        if self.provenance.setdefault("data_fingerprint", fingerprint) != fingerprint:
            raise ConfigError(
                "the training data is not that of the run's first part (other samples, sizes or labels); resume with "
                "the same data, or start a new run"
            )
        if self.network.n_ticks is None and splits.train.duration is not None:
            self.network.n_ticks = ticks_of(splits.train.duration, self.network.dt)

    def _calibrate(self, loader):
        indices = self._rng.permutation(len(loader.dataset))[:_CALIBRATION_SAMPLES]
        spikes = next(iter(make_loader(self.network, loader.dataset, len(indices), indices)))[0]
        output = self.config.mean_target(self.network.arch.n_outputs)
        self.gains = calibrate(self.network, spikes, output=output, seed=self.config.seed)
        self.provenance["gains"] = self.gains
        self._epoch_rng_state = self._rng.bit_generator.state

    def _run_epoch(self, loader, observer, interrupt):
        """The batches of an epoch from `position` on."""
        self._rng.bit_generator.state = self._epoch_rng_state
        order = self._rng.permutation(len(loader.indices))
        n_batches = len(loader)
        started = time.perf_counter() - self.elapsed
        rest = loader.with_indices(order[self.position * self.config.batch_size :], (self.config.seed, self.epoch))
        for spikes, labels, _ in rest:
            self.step(spikes, labels, rate_at(self.epoch + self.position / n_batches, self.config))
            self.position += 1
            self.elapsed = time.perf_counter() - started
            observer.batch(self)
            if interrupt.is_set():
                self.save()
                raise Interrupted(self.epoch, self.position, n_batches)

    def _close_epoch(self, splits, loader, validation, observer, interrupt):
        last = self.epoch + (len(loader) - 1) / len(loader)
        record = {"epoch": self.epoch + 1, **self.metrics.summary(), "seconds": self.elapsed,
                  "learning_rate": rate_at(last, self.config)}
        if validation is not None:
            self.save()  # a long validation that is cut off costs nothing but itself
            scored = score(self._replicas, validation, PASS_BATCH, self.loss, regularizer=self._regularizer,
                           observer=observer, interrupt=interrupt)
            if scored is None:
                raise Interrupted(self.epoch, self.position, self.position)
            summary = scored.summary()
            record |= {"val_loss": summary["loss"], "val_accuracy": summary["accuracy"]}
        record["warnings"] = warnings_of(self.network, self.config, self.metrics, self.epoch + 1)
        self.history.append(record)
        self.epoch, self.position, self.elapsed = self.epoch + 1, 0, 0.0
        self._epoch_rng_state = self._rng.bit_generator.state
        self.metrics = self._fresh_metrics()
        self.save()
        observer.epoch(record)

    # -- stop and go on ------------------------------------------------------------------------------------------------

    def state(self) -> dict:
        """Everything but the weights that the next batch depends on."""
        return {
            "config": self.config.as_dict(),
            "progress": {"epoch": self.epoch, "position": self.position, "seconds": self.elapsed,
                         "rng": self._epoch_rng_state},
            "history": self.history,
            "optimizer": self._workers[0].optimizer.state(),
            "metrics": self.metrics.state(),
        }

    def save(self):
        """Write the checkpoint to the run folder, if there is one."""
        check_finite(self, max(1, self.epoch + (self.position > 0)))
        if self.out is not None:
            path = self.out / checkpoint.FILE_NAME
            checkpoint.save(path, self.network, provenance=self.provenance, training=self.state())

    def has_checkpoint(self) -> bool:
        """Whether there is a checkpoint in the run folder."""
        return self.out is not None and (self.out / checkpoint.FILE_NAME).exists()

    @classmethod
    def resume(cls, run, device="cpu") -> "Trainer":
        """The trainer of an interrupted run, as it was; `fit` on the same data goes on to the same bits.

        device : to go on with
        """
        network, provenance, training = checkpoint.load_checkpoint(run)
        network = on_device(network, open_devices(device)[0])
        check_trainable(network)  # what does not run there is not damaged
        try:
            trainer = cls(network, device=device, provenance=provenance, **training["config"])
            trainer._restore(training)
        except (KeyError, ValueError, TypeError) as error:
            raise FormatError(f"{checkpoint.locate(run)}: is damaged ({error}); restore it from a copy") from error
        trainer.out = checkpoint.check_writable(checkpoint.locate(run).parent,
                                                "free it, or copy the run elsewhere and go on there")
        return trainer

    def _restore(self, training):
        progress = training["progress"]
        self.epoch, self.position = int(progress["epoch"]), int(progress["position"])
        self.elapsed = float(progress["seconds"])
        if not 0 <= self.epoch <= self.config.epochs or self.position < 0:
            raise ValueError(f"epoch {self.epoch}, batch {self.position} do not exist")
        self._epoch_rng_state = self._rng.bit_generator.state = progress["rng"]
        self.history = list(training["history"])
        for worker in self._workers:
            worker.optimizer.load_state(training["optimizer"])
        self.metrics.load_state(training["metrics"])

"""A pass over samples without training."""

import numpy as np

from eventsim.engine import run
from eventsim.trainer.losses import loss_of
from eventsim.trainer.metrics import Metrics


def score(replicas, loader, batch_size, loss, *, regularizer=None, observer=None, interrupt=None):
    """The `Metrics` of a network over the batches of a `Loader`; None where the event ``interrupt`` was set meanwhile.

    replicas : `Replicas` of the network; figures do not depend on how many there are
    batch_size : samples whose losses are added up first, of which those of a loader's batch are a multiple
    observer : `Observer`, told of what ran share by share
    """
    n_classes = max(loader.dataset.n_classes, replicas.networks[0].arch.n_outputs)
    total = Metrics(replicas.networks[0], n_classes)
    for done, (spikes, labels, _) in enumerate(loader):
        def look(network, share, spikes=spikes, labels=labels):
            spikes, labels = share.of(spikes, labels)
            trace, metrics = run(network, spikes), Metrics(network, n_classes)
            penalty = regularizer(trace)[0] if regularizer else 0.0
            metrics.count(trace, labels)
            return trace, labels, metrics, loss_of(loss, network, trace, labels).value + penalty

        found = replicas.each(look, replicas.networks, len(labels))
        for trace, own_labels, metrics, _ in found:
            total.take_in(metrics)
            if observer:
                observer.ran(trace, own_labels)
        losses = np.concatenate([losses for *_, losses in found])
        for first in range(0, len(losses), batch_size):
            total.add_losses(losses[first : first + batch_size])
        if observer:
            observer.validation(done + 1, len(loader))
        if interrupt is not None and interrupt.is_set():
            return None
    total.binning = loader.report
    return total

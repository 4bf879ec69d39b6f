"""A pass of a network over a data set, with a progress bar."""

from eventsim.cli.output import track
from eventsim.engine.warm_up import warm_up
from eventsim.trainer import Observer, TrainingConfig, evaluate
from eventsim.trainer.loop import check_fits


class _Bar(Observer):
    """Moves a progress bar."""

    def __init__(self, bar):
        self.bar = bar

    def validation(self, done, total):
        self.bar.update(self.bar.task_ids[0], completed=done, total=total)


def run_over(model, dataset):
    """The `Metrics` of a `Model` over a data set, with the loss that it was trained with."""
    config = TrainingConfig(**model.about["config"] or {})
    check_fits(model.network, dataset)
    warm_up(model.network)
    with track("running", None) as bar:
        return evaluate(model.network, dataset, loss=config.make_loss(), regularizer=config.make_regularizer(),
                        observer=_Bar(bar))

"""A pass of a network over a data set, with a progress bar."""

from eventsim.cli.output import busy, track
from eventsim.engine.gpu.devices import on_device, open_devices
from eventsim.engine.warm_up import warm_up
from eventsim.profile import BackwardProfile
from eventsim.trainer import Observer, evaluate
from eventsim.trainer.loop import check_fits, make_loader
from eventsim.trainer.warm_up import warm_up as warm_up_training


class _Bar(Observer):
    """Moves a progress bar, and shows a `Profile` what was run."""

    def __init__(self, bar, profile):
        self.bar, self.profile = bar, profile

    def ran(self, trace, labels):
        if self.profile is not None:
            self.profile.add(trace, labels)

    def validation(self, done, total):
        self.bar.update(self.bar.task_ids[0], completed=done, total=total)


def run_over(model, dataset, profile=None, device="cpu"):
    """The `Metrics` of a `Model` over a data set, with the loss that it was trained with.

    profile : `Profile` to which everything that is run is added
    device : see `evaluate`
    """
    config = model.config
    check_fits(model.network, dataset)
    with busy("compiling, or loading what was compiled before"):
        for place in open_devices(device):
            warm_up(on_device(model.network, place))
    with track("running", None) as bar:
        return evaluate(model.network, dataset, device=device, loss=config.make_loss(),
                        regularizer=config.make_regularizer(), observer=_Bar(bar, profile))


def train_over(model, dataset):
    """The `BackwardProfile` of a `Model` over a data set."""
    warm_up_training(model.network, model.config.make_optimizer)
    profile = BackwardProfile(model.network, model.config)
    loader = make_loader(model.network, dataset, model.config.batch_size)
    with track("running backward", len(loader)) as bar:
        for spikes, labels, _ in loader:
            profile.step(spikes, labels)
            bar.advance(bar.task_ids[0])
    return profile

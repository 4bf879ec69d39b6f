"""Profiles of a model: on a recording, or on a data set."""

from dataclasses import dataclass

from eventsim.cli.models import Model
from eventsim.cli.passes import run_over, train_over
from eventsim.cli.recordings import run_recording
from eventsim.data import Dataset
from eventsim.engine import Trace
from eventsim.engine.backward import check_trainable
from eventsim.errors import ConfigError
from eventsim.events import Events
from eventsim.files import write_atomically
from eventsim.profile import Profile
from eventsim.report import evaluation, numbers
from eventsim.report import profile as report
from eventsim.report.html import Subject
from eventsim.report.inputs import input_line
from eventsim.report.simulation import verdict


@dataclass
class Profiled:
    """A model, its `Profile`, figures and facts to show; of a data set that, of a recording what became of it."""

    model: Model
    profile: Profile
    figures: dict
    facts: list
    dataset: Dataset | None = None
    events: Events | None = None
    trace: Trace | None = None

    def as_dict(self, source, weights) -> dict:
        """Plain values."""
        network = self.model.network
        return {"source": str(source), "model": str(self.model.path), "weights": weights, "clock": network.clock,
                "arch": network.arch.notation, **self.figures}

    def screen(self, source) -> list:
        """Lines and tables."""
        facts = [("Source", source), ("Model", self.model), *self.facts]
        return [facts, "", *report.screen(self.profile, self.figures)]

    def subject(self, source) -> Subject:
        """What a page shows; of a data set, the first sample closely."""
        network, label, name = self.model.network, None, str(source)
        events, trace = self.events, self.trace
        if self.dataset is not None:
            events, label, name = self.dataset.events(0), int(self.dataset.labels[0]), self.dataset.sample_name(0)
            trace = network.simulate(events)
        clock = "continuous time" if network.clock == "exact" else f"ticks of {network.dt:g} ms"
        facts = [("Network", network.arch.notation), ("Source", source), *self.facts,
                 ("Clock", f"{clock}, {trace.input.n_ticks * network.dt:g} ms a sample"), ("Weights", network.weights)]
        return Subject(self.model.name, facts, self.profile, self.figures, name, events, trace, label)

    def write_table(self, path):
        """Write a line for every sample of the data set."""
        names = [self.dataset.sample_name(i) for i in range(len(self.dataset))]
        write_atomically(path, report.samples_csv(self.profile, names))


def check_models(models, backward):
    """Raise `ConfigError` where models cannot be compared, or cannot be run ``backward``, before any time is spent."""
    sensors = [str(model.network.sensor) for model in models]
    if len(set(sensors)) > 1:
        raise ConfigError(f"{models[1].name} takes events of a {sensors[1]} sensor, {models[0].name} of {sensors[0]}; "
                          "compare models of one sensor")
    for model in models if backward else ():
        if model.network.weights != "float32":
            raise ConfigError("--backward is for weights of float32; leave out --weights, or --backward")
        try:
            check_trainable(model.network)
        except ConfigError as error:
            raise ConfigError(f"--backward: {error}") from None


def of_recording(model, source, codec, sensor, start) -> Profiled:
    """The profile of a recording, see `run_recording`."""
    events, trace = run_recording(model.network, source, sensor, codec, start)
    profile = Profile(model.network)
    profile.add(trace)
    figures = report.as_dict(profile, trace.binning, skipped=events.skipped)
    facts = [("Input", input_line(figures["input"])), ("Result", verdict(trace))]
    return Profiled(model, profile, figures, facts, events=events, trace=trace)


def some_samples(dataset, n):
    """So many samples of a data set, evenly; None: all."""
    if n is None or n >= len(dataset):
        return dataset
    return dataset.subset([i * len(dataset) // n for i in range(n)])


def of_dataset(model, dataset, split, backward) -> Profiled:
    """The profile over a data set; ``backward`` runs training steps besides."""
    profile = Profile(model.network)
    metrics = run_over(model, dataset, profile)
    trained = train_over(model, dataset) if backward else None
    figures = {"split": split, **evaluation.scores(metrics),
               **report.as_dict(profile, metrics.binning, backward=trained)}
    facts = [("Samples", f"{numbers.count(metrics.samples)} ({split}), accuracy "
                         f"{evaluation.accuracy_line(metrics.confusion)}"),
             ("Input", f"a sample has {input_line(figures['input'])}")]
    return Profiled(model, profile, figures, facts, dataset=dataset)

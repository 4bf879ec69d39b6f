"""``eventsim convert``: recordings and data sets from one format to another."""

import contextlib
import functools
import pathlib
from dataclasses import dataclass

import click

from eventsim import wording
from eventsim.cli import options
from eventsim.cli.failures import Stopped


@options.command
@click.argument("sources", metavar="SRC...", nargs=-1, required=True)
@click.argument("out", metavar="DST", type=click.Path(path_type=pathlib.Path))
@click.option("--to", "target", metavar="NAME", help="Format to write, where the name of DST does not say it.")
@click.option("--apply", "steps", type=options.TransformType(), multiple=True, metavar="NAME[:KEY=VALUE,...]",
              help="Transform the events of a recording, which is then held in memory; repeat it for more, in order.")
@click.option("--repair", is_flag=True,
              help="Keep what can be read of a damaged recording: leave out a record that its end cuts off and events "
                   "outside the sensor, and sort the others by time.")
@options.recording_options
@options.force_option
@options.threads_option
@options.json_option
@click.pass_context
def convert(context, sources, out, target, steps, repair, codec, sensor, force, as_json):
    """Convert recordings, or a data set.

    SRC is a recording of any format that eventsim reads (- is standard input, then name its format with --codec), or
    a data set. DST is a file, whose name says the format, or of several recordings a folder (then --to says it). A DST
    of .h5 is an event store: one file for a whole data set, or for recordings of any length, which are read from it by
    slices. Events are converted in blocks, so memory does not grow with the recording.

    A data set is converted on all threads. What Ctrl-C leaves is gone on with by the same command.

    --apply calls crop, pool, flip, merge_polarity, time_window, denoise, refractory_filter, hot_pixel_filter,
    drop_events or jitter, with the parameters that they have in Python; a wrong one is answered by those that there
    are. Transforms see a recording whole, so each is then held in memory. What they leave out is counted.

    --repair counts what it leaves out, too. A recording that is not in the order of time is then held in memory.

    \b
    Examples:
      eventsim convert sample.bin sample.csv
      eventsim convert recording.raw recording.h5
      eventsim convert --to csv a.bin b.bin texts/
      eventsim convert N-MNIST/ nmnist.h5
      eventsim convert a.raw a.h5 --apply denoise:window=5 --apply pool:factor=2
      eventsim convert damaged.raw whole.raw --repair
    """
    from eventsim.cli.output import print_json, show
    from eventsim.data import is_dataset
    from eventsim.data.applied import Transforms
    from eventsim.data.transforms import left_out

    for source in sources:
        options.refuse_missing(source)
    to_folder = target is not None and (len(sources) > 1 or not out.suffix)
    reading = _Reading(codec, sensor, Transforms(steps), repair)
    if len(sources) == 1 and is_dataset(sources[0]):
        options.refuse_typed(context, ("target", "codec", "repair"), "is for recordings; leave it out for a data set")
        done = _dataset(sources[0], out, reading, force)
    elif out.is_dir() or to_folder:
        done = _folder(sources, out, target, reading, force)
    else:
        done = _file(sources, out, target, reading, force)
    if as_json:
        print_json({"out": str(out), "recordings": done.recordings, "empty": done.empty, "events": done.events,
                    "skipped": done.skipped, "reordered": done.reordered})
        return
    empty = f", {done.empty:,} without any event," if done.empty else ","
    skipped = f"; left out: {left_out(done.skipped)}" if done.skipped else ""
    reordered = f"; put in the order of time: {done.reordered:,}" if done.reordered else ""
    show(f"{out}: {wording.several(done.recordings, 'recording')}{empty} {wording.several(done.events, 'event')}"
         f"{skipped}{reordered}")


@dataclass(frozen=True)
class _Reading:
    """How sources are read."""

    codec: str | None
    sensor: object
    transforms: object
    repair: bool

    def opener(self, source):
        """A function that opens a recording."""
        from eventsim.data import open_recording

        return functools.partial(open_recording, source, sensor=self.sensor, codec=self.codec, repair=self.repair)

    def transformed(self, openers):
        """Functions that open recordings, behind the transforms where there are any."""
        if not self.transforms.steps:
            return openers
        return [functools.partial(_open_transformed, one, self.transforms, i) for i, one in enumerate(openers)]


@contextlib.contextmanager
def _open_transformed(open_one, transforms, number):
    from eventsim.data.applied import TransformedRecording

    with open_one() as recording:
        yield TransformedRecording(recording, transforms, number)


def _file(sources, out, target, reading, force):
    """One recording into a file of any format, or several into an event store."""
    from eventsim.data import conversion
    from eventsim.data.codecs import choose_target
    from eventsim.errors import ConfigError

    chosen = choose_target(str(out), target)
    options.refuse_existing(out, force)
    if len(sources) > 1 and chosen.name != "store":
        raise ConfigError(f"{out}: one file of {chosen.title} holds one recording, got {len(sources)}; name an .h5 "
                          "file, or with --to a folder")
    opened = reading.transformed([reading.opener(source) for source in sources])
    with _events_bar() as advance:
        if len(opened) > 1:
            return conversion.convert_recordings(opened, out, advance)
        with opened[0]() as recording:
            return conversion.convert_recording(recording, out, chosen, advance)


def _folder(sources, out, target, reading, force):
    """Every recording into a file of its own."""
    from eventsim.data import conversion
    from eventsim.data.codecs import choose_target
    from eventsim.errors import ConfigError

    if target is None:
        raise ConfigError(f"{out}: is a folder; say with --to what format to write")
    chosen = choose_target("", target)
    if out.is_file():
        raise ConfigError(f"{out}: is a file, expected a folder for "
                          f"{wording.several(len(sources), 'recording')}; name another one")
    names, openers = zip(*(one for source in sources for one in _recordings(source, reading)), strict=True)
    paths = [out / (pathlib.Path(name).stem + chosen.suffixes[0]) for name in names]
    twice = next((path for i, path in enumerate(paths) if path in paths[:i]), None)
    if twice is not None:
        raise ConfigError(f"{twice}: several recordings would be written there; convert them one at a time")
    for path in paths:
        options.refuse_existing(path, force)
    out.mkdir(parents=True, exist_ok=True)
    done = conversion.Converted()
    with _events_bar() as advance:
        for open_one, path in zip(reading.transformed(openers), paths, strict=True):
            with open_one() as recording:
                done += conversion.convert_recording(recording, path, chosen, advance)
    return done


def _recordings(source, reading):
    """(name, function that opens it) of the recording that a source is, or of every one that a store holds."""
    from eventsim.data.store import StoredRecording, open_if_store

    held = open_if_store(source) if pathlib.Path(source).suffix.lower() == ".h5" else None
    if held is None or len(held) < 2:
        return [("stdin" if source == "-" else source, reading.opener(source))]
    return [(held.recording_name(part, i), functools.partial(contextlib.nullcontext, StoredRecording(held, part, i)))
            for part in held.parts for i in range(len(held.labels[part]))]


def _dataset(source, out, reading, force):
    """A data set into an event store."""
    from eventsim.cli.output import track
    from eventsim.data import conversion, open_dataset
    from eventsim.data.applied import transformed_splits
    from eventsim.errors import ConfigError
    from eventsim.trainer.interrupt import watch_for_interrupt

    if out.suffix.lower() != ".h5":
        raise ConfigError(f"{out}: a data set becomes one event store; name an .h5 file")
    options.refuse_existing(out, force)
    splits = open_dataset(source, sensor=reading.sensor)
    if reading.transforms.steps:
        splits = transformed_splits(splits, reading.transforms)
    n = sum(len(part) for part in (splits.train, splits.validation) if part is not None)
    with watch_for_interrupt() as stop, track("converting", n) as bar:
        try:
            return conversion.convert_dataset(splits, out, is_stopped=stop.is_set,
                                              advance=lambda done: bar.advance(bar.task_ids[0], done))
        except conversion.Stopped as stopped:
            raise Stopped(str(stopped)) from None


@contextlib.contextmanager
def _events_bar():
    """A count of events on stderr; gives the function that moves it on."""
    from eventsim.cli.output import track

    with track("converting", None) as bar:
        yield lambda n: bar.advance(bar.task_ids[0], n)

"""Recordings and data sets from one format to another, in memory that does not grow with them."""

import collections
import contextlib
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from eventsim import files, kernels
from eventsim.data.codecs.base import Codec
from eventsim.data.hdf5 import attribute, written_hdf5
from eventsim.data.store import PARTS, StoreWriter
from eventsim.errors import ConfigError, EventsimError, FormatError

_AHEAD = 4  # samples a thread that wait to be written


class Stopped(EventsimError):
    """A conversion was stopped on request; what is converted is kept."""


@dataclass
class Converted:
    """What came of recordings.

    recordings, events : how many; skipped : what was left out, by kind; empty : recordings of which no event is left
    reordered : events that were brought into the order of time
    """

    recordings: int = 0
    events: int = 0
    skipped: collections.Counter = field(default_factory=collections.Counter)
    empty: int = 0
    reordered: int = 0

    def __add__(self, other):
        return Converted(self.recordings + other.recordings, self.events + other.events, self.skipped + other.skipped,
                         self.empty + other.empty, self.reordered + other.reordered)

    @classmethod
    def of(cls, recording, n_events):
        """Of a recording that was read to its end."""
        return cls(1, n_events, collections.Counter(recording.skipped), reordered=recording.reordered)


def convert_recording(recording, path, codec: Codec, advance=lambda n: None) -> Converted:
    """Write an open `Recording` in another format.

    path : file, replaced at the end or not at all; advance : told the number of events of every block

    Raises `FormatError` where the recording is damaged, `ConfigError` where the format cannot hold its events.
    """
    if codec.writer is None:
        raise ConfigError(f"{codec.title} is only read; choose another format")
    with files.replacing(path) as temporary, open(temporary, "x+b") as file, \
            contextlib.closing(codec.writer(file, recording.sensor)) as writer:
        for events in recording:
            try:
                writer.write(events)
            except ConfigError as error:
                raise ConfigError(f"{recording.source}: {error}") from None
            advance(len(events))
        writer.finish(recording.source, recording.skipped)
    return Converted.of(recording, writer.written)


def convert_recordings(opened, path, advance=lambda n: None) -> Converted:
    """Write several recordings into one event store.

    opened : iterable of functions that open one recording each, all of one sensor; the rest is as above
    """
    done, sensor = Converted(), None
    with files.replacing(path) as temporary, open(temporary, "x+b") as raw, written_hdf5(raw, "w") as file:
        for open_one in opened:
            with open_one() as recording:
                if sensor is None:
                    sensor = recording.sensor
                    store = StoreWriter(file, sensor)
                if recording.sensor != sensor:
                    raise ConfigError(f"{recording.source}: is of a {recording.sensor} sensor, those before of "
                                      f"{sensor}; name one that holds all with --sensor, or convert it alone")
                n = 0
                for events in recording:
                    store.gather("recordings", events)
                    n += len(events)
                    advance(len(events))
                store.end("recordings", name=recording.source, skipped=recording.skipped)
                done += Converted.of(recording, n)
        store.flush()
    return done


def partial_of(path):
    """Where an unfinished conversion of a data set to ``path`` is kept."""
    path = files.as_path(path)
    return path.with_name(f".{path.name}.part")


def convert_dataset(splits, path, *, advance=lambda n: None, is_stopped=lambda: False) -> Converted:
    """Write the samples of `Splits` into an event store, decoded on all threads.

    path : file, replaced at the end; after a stop or a sample that cannot be read, `partial_of` it holds what is
        converted, and the same call goes on from there. What a crash leaves is thrown away: HDF5 files that were not
        closed may be damaged
    advance : told how many samples are done at the start, and 1 for each that follows; is_stopped : asked now and then

    Raises `Stopped` where it was asked to stop, `ConfigError` where another process writes there, and passes on what
    reading a sample raises.
    """
    parts = {name: part for name in PARTS[:2] if (part := getattr(splits, name)) is not None and len(part)}
    with files.writing(path), files.alone(path):
        with _partial_file(partial_of(path), parts) as (open_path, file):
            done = _convert_parts(splits, parts, file, advance, is_stopped)
        os.replace(open_path, path)
    return done


def _convert_parts(splits, parts, file, advance, is_stopped):
    one = next(iter(parts.values()))
    store = StoreWriter(file, one.sensor, name=one.name, n_classes=one.n_classes, duration=one.duration,
                        note=splits.note)
    for name, dataset in parts.items():
        done = store.n_recordings(name)
        advance(done)
        try:
            for i, events in _decoded(dataset, range(done, len(dataset))):
                store.add(name, [events], label=int(dataset.labels[i]), name=dataset.sample_name(i),
                          skipped=events.skipped)
                advance(1)
                if is_stopped():
                    raise Stopped(f"stopped after {store.n_recordings(name)} of {len(dataset)} samples of {name}; the "
                                  "same command goes on from there")
        except FormatError as error:
            raise FormatError(f"{error}; the samples before it are converted, and the same command goes on from "
                              "there") from error
        finally:
            store.flush()
    return Converted(*store.totals())


@contextlib.contextmanager
def _partial_file(partial, parts):
    """(path, open HDF5 file) of the unfinished store of these data sets; one of others is replaced.

    While it is open it has another name, so that what a crash leaves is known by it and thrown away.
    """
    fingerprint = " ".join(f"{name} {dataset.fingerprint()}" for name, dataset in parts.items())
    open_path = partial.with_suffix(".writing")
    open_path.unlink(missing_ok=True)
    if attribute(partial, "source_fingerprint") == fingerprint:
        os.replace(partial, open_path)
    partial.unlink(missing_ok=True)
    mode = "r+" if open_path.exists() else "w"
    try:
        with open(open_path, "r+b" if mode == "r+" else "x+b") as file, written_hdf5(file, mode) as hdf5:
            hdf5.attrs["source_fingerprint"] = fingerprint
            yield open_path, hdf5
    except OSError:  # a full disk: what is there may be damaged
        open_path.unlink()
        raise
    except BaseException:
        os.replace(open_path, partial)
        raise


def _decoded(dataset, indices):
    """(index, events) of samples, in this order, decoded ahead on all threads."""
    waiting, todo = collections.deque(), iter(indices)
    with ThreadPoolExecutor(kernels.threads()) as pool:
        try:
            while True:
                while len(waiting) < _AHEAD * kernels.threads() and (i := next(todo, None)) is not None:
                    waiting.append((i, pool.submit(dataset.events, i)))
                if not waiting:
                    return
                i, events = waiting.popleft()
                yield i, events.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

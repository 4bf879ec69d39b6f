"""``eventsim generate``: recordings of the synthetic event camera."""

import pathlib
import shlex

import click

from eventsim.cli import options
from eventsim.wording import several


@options.command
@click.argument("out", metavar="OUT.bin|FOLDER", type=click.Path(path_type=pathlib.Path))
@click.option("--digit", type=click.IntRange(0, 9), metavar="D", help="Digit of a single recording.  [default: any]")
@click.option("--index", type=click.IntRange(min=0), metavar="I", help="Which one of that digit.  [default: 0]")
@click.option("--images", type=click.Path(path_type=pathlib.Path), metavar="MNIST",
              help="Folder with MNIST's four idx files: record these, not digits of its own.")
@click.option("--samples", type=click.IntRange(min=1), metavar="N",
              help="Training samples of a folder.  [default: all images]")
@click.option("--validation", type=click.IntRange(min=1), metavar="N",
              help="And samples to test on.  [default: all images]")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, metavar="N", help="Of all chance.")
@options.force_option
@options.threads_option
@options.json_option
def generate(out, digit, index, images, samples, validation, seed, force, as_json):
    """Write recordings of a synthetic event camera.

    OUT.bin becomes one N-MNIST recording (OUT.csv one of text), of a sample that no training on synthetic digits with
    this seed has seen.
    FOLDER becomes a data set in N-MNIST's layout, Train/<digit>/<id>.bin and Test/<digit>/<id>.bin: the samples that
    `eventsim train --data synthetic` would use, or with --images those of MNIST, as N-MNIST was made from them; the
    numbers are then N-MNIST's own. What a sample becomes depends on its number and --seed alone.

    \b
    Examples:
      eventsim generate sample.bin --digit 7
      eventsim generate digits/ --samples 1000 --validation 200 --seed 1
      eventsim generate nmnist-like/ --images mnist/
    """
    from eventsim.data import CODECS
    from eventsim.errors import ConfigError

    if any(out.suffix.lower() in codec.suffixes for codec in CODECS.values()):
        if samples or validation or images:
            raise ConfigError(f"{out}: is one recording, so --samples, --validation and --images mean nothing; name a "
                              "folder")
        _file(out, digit, index or 0, seed, force, as_json)
        return
    if samples is None and images is None:
        raise ConfigError(f"{out}: name a file such as sample.bin, or a folder together with --samples or --images")
    if digit is not None or index is not None:
        raise ConfigError(f"{out}: is a folder of all digits, so --digit and --index mean nothing; name a .bin file")
    _folder(out, images, samples, validation, seed, force, as_json)


def _file(out, digit, index, seed, force, as_json):
    import numpy as np

    from eventsim.cli.output import print_json, show
    from eventsim.data import open_dataset, open_recording, write

    options.refuse_existing(out, force)
    # Validation samples, which no training with this seed sees; every ten of them hold every digit once.
    unseen = open_dataset("synthetic", seed=seed, train=1, validation=10 * (index + 1)).validation
    i = index if digit is None else int(np.flatnonzero(unseen.labels == digit)[index])
    events, label = unseen.events(i), int(unseen.labels[i])
    write(out, events)
    if as_json:
        print_json({"file": str(out), "digit": label, "events": len(events), "duration_ms": events.duration})
        return
    with open_recording(out) as recording:
        size = "" if recording.declared == events.sensor else f" --sensor {events.sensor}"
    show(f"{out}: digit {label}, {several(len(events), 'event')} in {events.duration:.1f} ms on a {events.sensor} "
         "sensor", "", "What to type next:", f"  eventsim simulate {shlex.quote(str(out))}{size}")


def _folder(out, images, samples, validation, seed, force, as_json):
    from eventsim.cli.output import print_json, show
    from eventsim.data import open_dataset
    from eventsim.data.synthetic import open_images
    from eventsim.errors import ConfigError

    if out.is_file() or (out.is_dir() and any(out.iterdir()) and not force):
        raise ConfigError(f"{out}: exists already and is not an empty folder; choose another one, or add --force to "
                          "write into it (other files in it stay)")
    if images is None:
        splits = open_dataset("synthetic", seed=seed, train=samples, validation=validation or 1)
        test = splits.validation if validation else None
    else:
        splits = open_images(images, seed=seed, train=samples, validation=validation)
        test = splits.validation
    parts = {"Train": splits.train} | ({"Test": test} if test else {})
    n_events = _write(out, parts)
    n_train, n_test = len(splits.train), len(test or [])
    if as_json:
        print_json({"folder": str(out), "train": n_train, "validation": n_test, "events": n_events})
        return
    tested = f" and {n_test:,} under Test" if n_test else ""
    show(f"{out}: {several(n_train, 'recording')} under Train{tested}, {several(n_events, 'event')}", "",
         "What to type next:", f"  eventsim train --arch mlp512 --data {shlex.quote(str(out))}",
         f"  eventsim info {shlex.quote(str(out))}")


def _write(out, parts):
    """Write data sets by the names of their folders, on all threads; returns their number of events."""
    from concurrent.futures import ThreadPoolExecutor

    from eventsim import kernels
    from eventsim.cli.output import track

    jobs = [(out / name, dataset, i) for name, dataset in parts.items() for i in range(len(dataset))]
    for folder, label in {(out / name, label) for name, dataset in parts.items() for label in dataset.labels}:
        (folder / str(label)).mkdir(parents=True, exist_ok=True)
    n_events = 0
    with track("writing", len(jobs)) as bar, ThreadPoolExecutor(kernels.threads()) as pool:
        try:
            for n in pool.map(_write_sample, *zip(*jobs, strict=True)):
                n_events += n
                bar.advance(bar.task_ids[0])
        except BaseException:  # also Ctrl-C: what has not begun shall not
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return n_events


def _write_sample(folder, dataset, i):
    """Write sample ``i`` as <digit>/<id>.bin; returns its number of events."""
    from eventsim.data import write

    events = dataset.events(i)
    write(folder / str(dataset.labels[i]) / f"{i + 1:05d}.bin", events)
    return len(events)

"""``eventsim generate``: recordings of the synthetic event camera."""

import pathlib
import shlex

import click

from eventsim.cli import options


@options.command
@click.argument("out", metavar="OUT.bin|FOLDER", type=click.Path(path_type=pathlib.Path))
@click.option("--digit", type=click.IntRange(0, 9), metavar="D", help="Digit of a single recording.  [default: any]")
@click.option("--index", type=click.IntRange(min=0), metavar="I", help="Which one of that digit.  [default: 0]")
@click.option("--samples", type=click.IntRange(min=1), metavar="N", help="Training samples of a folder.")
@click.option("--validation", type=click.IntRange(min=1), metavar="N", help="And samples to validate on.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, metavar="N", help="Of all chance.")
@options.force_option
@options.json_option
def generate(out, digit, index, samples, validation, seed, force, as_json):
    """Write recordings of a synthetic event camera.

    OUT.bin becomes one N-MNIST recording (OUT.csv one of text), of a sample that no training on synthetic digits with
    this seed has seen.
    FOLDER becomes a data set in N-MNIST's layout, Train/<digit>/<id>.bin and Test/<digit>/<id>.bin: the samples that
    `eventsim train --data synthetic` would use.

    \b
    Examples:
      eventsim generate sample.bin --digit 7
      eventsim generate digits/ --samples 1000 --validation 200 --seed 1
    """
    from eventsim.data import CODECS
    from eventsim.errors import ConfigError

    if any(out.suffix.lower() in codec.suffixes for codec in CODECS.values()):
        if samples or validation:
            raise ConfigError(f"{out}: is one recording, so --samples and --validation mean nothing; name a folder")
        _file(out, digit, index or 0, seed, force, as_json)
        return
    if samples is None:
        raise ConfigError(f"{out}: name a file such as sample.bin, or a folder together with --samples")
    if digit is not None or index is not None:
        raise ConfigError(f"{out}: is a folder of all digits, so --digit and --index mean nothing; name a .bin file")
    _folder(out, samples, validation, seed, force, as_json)


def _file(out, digit, index, seed, force, as_json):
    import numpy as np

    from eventsim.cli.output import print_json, show
    from eventsim.data import CODECS, open_dataset, write
    from eventsim.trainer import newest_run

    options.refuse_existing(out, force)
    # Validation samples, which no training with this seed sees; every ten of them hold every digit once.
    unseen = open_dataset("synthetic", seed=seed, train=1, validation=10 * (index + 1)).validation
    i = index if digit is None else int(np.flatnonzero(unseen.labels == digit)[index])
    events, label = unseen.events(i), int(unseen.labels[i])
    write(out, events)
    if as_json:
        print_json({"file": str(out), "digit": label, "events": len(events), "duration_ms": events.duration})
        return
    sized = out.suffix.lower() in CODECS["nmnist"].suffixes  # others do not say what sensor they are of
    steps = [f"eventsim simulate {shlex.quote(str(out))}" + ("" if sized else f" --sensor {events.sensor}")]
    if newest_run() is None:
        steps.insert(0, "eventsim train --arch mlp512")
    show(f"{out}: digit {label}, {len(events):,} events in {events.duration:.1f} ms on a {events.sensor} sensor", "",
         "What to type next:", *(f"  {step}" for step in steps))


def _folder(out, samples, validation, seed, force, as_json):
    from eventsim.cli.output import print_json, show, track
    from eventsim.data import open_dataset
    from eventsim.errors import ConfigError

    if out.is_file() or (out.is_dir() and any(out.iterdir()) and not force):
        raise ConfigError(f"{out}: exists already and is not an empty folder; choose another one, or add --force to "
                          "write into it (other files in it stay)")
    splits = open_dataset("synthetic", seed=seed, train=samples, validation=validation or 1)
    parts = {"Train": splits.train} | ({"Test": splits.validation} if validation else {})
    n_events = 0
    with track("writing", samples + (validation or 0)) as bar:
        for name, dataset in parts.items():
            for i in range(len(dataset)):
                n_events += _write_sample(out / name, dataset, i)
                bar.advance(bar.task_ids[0])
    if as_json:
        print_json({"folder": str(out), "train": samples, "validation": validation or 0, "events": n_events})
        return
    test = f" and {validation:,} under Test" if validation else ""
    show(f"{out}: {samples:,} recordings under Train{test}, {n_events:,} events", "", "What to type next:",
         f"  eventsim train --arch mlp512 --data {shlex.quote(str(out))}", f"  eventsim info {shlex.quote(str(out))}")


def _write_sample(folder, dataset, i):
    """Write sample ``i`` as <digit>/<id>.bin; returns its number of events."""
    from eventsim.data import write

    path = folder / str(dataset.labels[i]) / f"{i + 1:05d}.bin"
    path.parent.mkdir(parents=True, exist_ok=True)
    events = dataset.events(i)
    write(path, events)
    return len(events)

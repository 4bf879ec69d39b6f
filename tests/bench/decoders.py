"""How fast recordings are decoded, beside the packages that people read them with: million events a second, one core.

    pip install -e ".[bench]"
    python tests/bench/decoders.py --events 4000000 --json decoders.json

Everybody reads the same file, which is in memory already, into columns of all events; eventsim checks them on the way,
and reads them in blocks as well, as a recording larger than memory is read. What is read must be the same before
anything is timed. They take turns: in every round each reads once, so that a machine that gets slower gets slower for
all. Medians; ratios are those within a round.
"""

import argparse
import importlib.metadata
import json
import os
import pathlib
import statistics
import sys
import tempfile
import time

import decoder_readers
import numpy as np
from decoder_readers import IN_BLOCKS, OURS, READERS

from eventsim.report.tables import plain_table

_WARM_UP = 1  # rounds that do not count


def verified(others, path):
    """Those who read what we read; the others are named on stderr."""
    wanted, out = decoder_readers.ours(path), {}
    for name, reader in others.items():
        try:
            found = reader(path)
            wrong = [column for column, a, b in zip("txyp", wanted, found, strict=True)
                     if b is not None and not np.array_equal(a, b)]
        except Exception as error:  # whatever a package that is missing or broken raises
            print(f"left out: {path.name}, {name}: {type(error).__name__}: {error}".splitlines()[0], file=sys.stderr)
            continue
        if wrong:
            print(f"left out: {path.name}, {name}: reads another {', '.join(wrong)}", file=sys.stderr)
            continue
        out[name] = reader
    return out


def compare(codec, n, repeats, folder):
    """Seconds that everybody takes in every round, {name: [...]}, ours first."""
    path = decoder_readers.written(codec, n, folder)
    readers = {OURS: decoder_readers.ours, IN_BLOCKS: decoder_readers.in_blocks} | verified(READERS[codec], path)
    times = {name: [] for name in readers}
    for turn in range(_WARM_UP + repeats):
        for name, reader in readers.items():
            began = time.perf_counter()
            reader(path)
            took = time.perf_counter() - began
            if turn >= _WARM_UP:
                times[name].append(took)
    path.unlink()
    return times


def rows(codec, n, times):
    """Format, who, M events/s, and how many times as long as ours it takes."""
    for name, took in times.items():
        ratio = statistics.median(a / b for a, b in zip(took, times[OURS], strict=True))
        yield codec, name + version(name), f"{n / statistics.median(took) / 1e6:.0f}", f"{ratio:.2f}"


def version(name):
    """Of the package, behind a blank; nothing where it is ours or not one of these."""
    try:
        return "" if name in (OURS, IN_BLOCKS) else " " + importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def on_one_core():
    """Keep this process on a core, where the system can."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def main():
    """Compare the formats that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("codecs", nargs="*", choices=[*READERS, []], help="default: all")
    parser.add_argument("--events", type=int, default=4_000_000, help="of a recording (default: %(default)s)")
    parser.add_argument("--repeats", type=int, default=7, help="rounds (default: %(default)s)")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE")
    options = parser.parse_args()

    from rich.console import Console

    on_one_core()
    cells, report = [], {}
    with tempfile.TemporaryDirectory() as folder:
        for codec in options.codecs or READERS:
            times = report[codec] = compare(codec, options.events, options.repeats, pathlib.Path(folder))
            cells += rows(codec, options.events, times)
    Console(width=120, highlight=False).print(plain_table(("format", "who", "M events/s", "times ours"), cells))
    if options.json:
        options.json.write_text(json.dumps({"events": options.events, "seconds": report}, indent=1))


if __name__ == "__main__":
    sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
    main()

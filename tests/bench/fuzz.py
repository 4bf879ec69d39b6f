"""Damaged recordings of every format: each decodes or is refused with a sentence, quickly and in little memory.

    python tests/bench/fuzz.py --files 100000 --real RECORDINGS/

Every format that is written makes a small recording to damage, and those of MATLAB are made here; --real names a folder
of small recordings of the others.
"""

import argparse
import pathlib
import resource
import sys
import time

import numpy as np

sys.path.append(str(pathlib.Path(__file__).parents[1]))  # where the files of tests are, for who is no test
import mat_files
from mutations import mutated, outcomes

from eventsim.data.codecs import CODECS, choose
from eventsim.errors import FormatError
from eventsim.events import Events
from eventsim.sensor import Sensor

_LARGEST = 2_000_000  # bytes of a recording, so that a file takes milliseconds
_HEADER = 300  # bytes, in which half of the damage is done


def recordings(folder):
    """(codec, bytes) of every format that there is an example of."""
    rng = np.random.default_rng(0)
    events = Events(np.sort(rng.integers(0, 5000, 60)), rng.integers(0, 34, 60), rng.integers(0, 34, 60),
                    rng.integers(0, 2, 60), Sensor(34, 34))
    line = Events(events.t, events.x, np.zeros(60, np.uint8), events.p, Sensor(34, 1))
    for codec in CODECS.values():
        if codec.writer is not None:
            yield codec, codec.encode(line if codec.name == "bs1" else events)
    columns = {"x": events.x + 1, "y": events.y + 1, "p": events.p, "ts": events.t}
    struct = mat_files.of_structs("TD", {name: mat_files.vector("", column) for name, column in columns.items()})
    for data in (mat_files.mat5(struct), mat_files.mat5(struct, deflated=True),
                 mat_files.mat73(mat_files.td_group(columns))):
        yield CODECS["mat"], data
    for path in sorted(folder.rglob("*")) if folder else ():
        if path.is_file() and path.stat().st_size <= _LARGEST:
            data = path.read_bytes()
            try:
                codec = choose(path.name, head=data[:4096])
            except FormatError:
                continue
            if codec.writer is None:
                yield codec, data


def main():
    """Damage, decode and count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=100_000, help="over all formats (default: %(default)s)")
    parser.add_argument("--real", type=pathlib.Path, help="folder of recordings of formats that are not written")
    parser.add_argument("--seed", type=int, default=0, help="of all chance (default: %(default)s)")
    choices = parser.parse_args()
    examples = list(recordings(choices.real))
    for i, (codec, data) in enumerate(examples):
        n, begin = -(-choices.files // len(examples)), time.monotonic()
        rng = np.random.default_rng([choices.seed, i])
        decoded, refused = outcomes(codec.decode, mutated(rng, data, n, _HEADER))
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{codec.name:8} {len(data):6} bytes: {decoded:6} decoded, {refused:6} refused, "
              f"{time.monotonic() - begin:5.1f} s, at most {memory:.0f} MB so far", flush=True)


if __name__ == "__main__":
    sys.exit(main())

"""Damaged recordings that coverage asks for: what reaches new code of a decoder is kept and damaged further.

    pip install -e ".[bench]"
    python tests/bench/fuzz_guided.py evt3 es --seconds 240 --corpus corpus/

Atheris (libFuzzer) sees into codecs and kernels alike, as the kernels are run as plain Python; `fuzz_laws` says what
must hold of every answer. What was found is kept in the corpus, and then read again by the compiled kernels, once with
every index checked, which must make the same of it. The first recording that breaks a law ends the run, and is kept.
"""

import argparse
import collections
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import time

MODES = {"plain Python": {"NUMBA_DISABLE_JIT": "1"}, "compiled": {}, "compiled, indices checked":
         {"NUMBA_BOUNDSCHECK": "1"}}
CODECS = ("nmnist", "csv", "evt2", "evt3", "dat", "aedat2", "aedat3", "es", "bs1", "bs3")
_LONGEST = {"csv": 1200}  # bytes of a recording
_MOST_TIME = 5.0  # s of the processor that a recording may take: a busy machine may stop the process for a minute
_HANGS = 300  # s after which it is taken to hang


def fuzz(name, folder, seconds):
    """Look for recordings that break a law, for some time; ends the process."""
    import atheris

    with atheris.instrument_imports(include=["eventsim"]):
        import fuzz_laws

    def check(data):
        began = time.process_time()
        fuzz_laws.check(name, data)
        assert time.process_time() - began < _MOST_TIME

    atheris.Setup([
        sys.argv[0], str(folder), f"-max_total_time={seconds}", f"-max_len={_LONGEST.get(name, 250)}",
        f"-timeout={_HANGS}", "-rss_limit_mb=2000", f"-artifact_prefix={folder.parent}/{name}-", "-print_final_stats=1",
    ], check)
    atheris.Fuzz()


def sow(name, folder):
    """Put the recordings to begin with into the corpus."""
    import fuzz_laws

    folder.mkdir(parents=True, exist_ok=True)
    for data in fuzz_laws.seeds(name):
        (folder / hashlib.sha1(data).hexdigest()).write_bytes(data)


def answers(name, folder):
    """What a codec makes of every recording of the corpus, {file: digest}."""
    import fuzz_laws

    return {path.name: fuzz_laws.check(name, path.read_bytes()) for path in sorted(folder.iterdir())}


def step(mode, *arguments, **options):
    """Run this script once more, with kernels run in another way."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("NUMBA_") or key.endswith("_DIR")}
    return subprocess.run([sys.executable, __file__, *map(str, arguments)], env=kept | MODES[mode], check=False,
                          **options)


def compare(name, folder):
    """Recordings of the corpus of which kernels make something else when they are run in another way."""
    found = collections.defaultdict(set)
    for mode in MODES:
        done = step(mode, name, "--corpus", folder.parent, "--step", "answers", stdout=subprocess.PIPE, text=True)
        if done.returncode:
            raise SystemExit(f"{name}: {mode}: a law is broken, see above")
        for file, digest in json.loads(done.stdout).items():
            found[file].add(digest)
    return [file for file, digests in found.items() if len(digests) > 1], len(found)


def main():
    """Fuzz one codec after the other, and read again what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("codecs", nargs="*", choices=[*CODECS, []], help="default: all")
    parser.add_argument("--seconds", type=int, default=60, help="of each, 0: only read again (default: %(default)s)")
    parser.add_argument("--corpus", type=pathlib.Path, required=True, help="folder of what was found")
    parser.add_argument("--step", choices=["fuzz", "answers"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    broken = False
    for name in options.codecs or CODECS:
        folder = options.corpus / name
        if options.step == "fuzz":
            fuzz(name, folder, options.seconds)
        elif options.step == "answers":
            print(json.dumps(answers(name, folder)))
        else:
            sow(name, folder)
            if options.seconds:
                done = step("plain Python", name, "--corpus", options.corpus, "--seconds", options.seconds, "--step",
                            "fuzz")
                broken |= done.returncode != 0
            differing, n = compare(name, folder)
            print(f"{name}: {n} recordings, of which {len(differing)} are read differently by compiled kernels",
                  *differing, flush=True)
            broken |= bool(differing)
    return broken


if __name__ == "__main__":
    sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))  # the slow references
    sys.exit(main())

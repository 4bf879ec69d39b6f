"""``eventsim devices``: what networks can run on here."""

from eventsim.cli import options
from eventsim.cli.output import print_json, show


@options.command
@options.json_option
def devices(as_json):
    """Show the processor and the GPUs that networks can run on.

    Says of the processor its threads, its widest vector instructions and its second-level cache, and of every GPU its
    name and memory, with the versions of driver, CUDA, CuPy and NCCL, which lets several train at once; or what is
    missing, and how to get it.

    \b
    Examples:
      eventsim devices
      eventsim devices --json
      eventsim simulate sample.bin --device gpu
      eventsim train --device gpus
    """
    from eventsim.bench.machine import describe
    from eventsim.kernels.cuda import available
    from eventsim.report import numbers

    cpu, gpus, missing = describe(), available.describe(), available.missing()
    versions = available.versions()
    if as_json:
        print_json({"cpu": cpu, "gpus": gpus, "versions": versions, "missing": missing})
        return
    facts = [("cpu", f"{cpu['name']}, {numbers.several(cpu['threads'], 'thread')}, {cpu['vectors']}, "
                     f"{numbers.size(cpu['l2_bytes'])} second-level cache a core")]
    for i, gpu in enumerate(gpus):
        facts.append((f"gpu:{i}" if i else "gpu", f"{gpu['name']}, {numbers.size(gpu['memory'])}, compute capability "
                                                  f"{gpu['compute_capability']}"))
    if len(gpus) > 1:
        lacking = available.missing_to_join()
        facts.append(("gpus", "all of these at once, to train or evaluate" if lacking is None else
                      f"all of these at once, to evaluate; not to train: {lacking}"))
    known = [f"{name} {version}" for name, version in
             zip(("CuPy", "CUDA", "driver for CUDA", "NCCL"), versions.values(), strict=True) if version is not None]
    if missing is not None:
        facts.append(("gpu", f"none: {missing}"))
    show([*facts, *([("versions", ", ".join(known))] if known else [])])

"""Benchmarks as tables."""

from dataclasses import asdict

from eventsim.report import numbers
from eventsim.report.tables import plain_table


def machine_facts(machine) -> list:
    """Names and values of a `Machine`."""
    cores = numbers.several(machine.cores, "core")
    return [
        ("Machine", f"{machine.cpu}, {cores}, {machine.l2_bytes / 2**20:g} MiB second-level cache a core"),
        ("One core", f"reads {machine.l2_read / 1e9:.0f} GB/s from that cache and {machine.memory_read / 1e9:.0f} GB/s "
                     "from memory"),
    ]


def phase_table(phases):
    """A row a phase: time and work a sample, and the share of what bounds it."""
    rows = [
        (p.name, numbers.seconds(p.seconds), f"{numbers.large(p.operations)} {p.operation}s",
         f"{p.rate / 1e9:.1f} G/s", f"{numbers.share(p.share)} of {p.bound}" if p.share is not None else "")
        for p in phases
    ]
    return plain_table(("one core", "a sample", "work", "rate", "bandwidth"), rows)


def whole_table(figures):
    """A row a way of running: time a sample in a batch, and of one sample alone."""
    rows = [
        (f"inference, {weights}", numbers.seconds(took), numbers.seconds(figures["latency"][weights]["median"]),
         numbers.seconds(figures["latency"][weights]["p99"]))
        for weights, took in figures["inference"].items()
    ]
    rows.append(("training step", numbers.seconds(figures["training"]), "", ""))
    return plain_table(("all threads", "a sample", "one alone", "p99"), rows)


def gpu_facts(rates) -> list:
    """Names and values of the `Rates` of a GPU."""
    return [
        ("GPU", f"{rates.name}, {numbers.several(rates.multiprocessors, 'multiprocessor')}, "
                f"{numbers.size(rates.l2_bytes)} second-level cache"),
        ("Limits", f"reads {rates.l2_read / 1e9:,.0f} GB/s from that cache and {rates.memory_read / 1e9:,.0f} GB/s "
                   f"from memory, begins {rates.additions / 1e12:.1f} T additions/s"),
    ]


def gpu_tables(figures) -> list:
    """What was measured on a GPU: whole runs, and the phases of each against their floors."""
    alone = figures["latency"]
    whole = [("inference", numbers.seconds(figures["inference"]), numbers.seconds(alone["median"]),
              numbers.seconds(alone["p99"])),
             ("training step", numbers.seconds(figures["training"]), "", "")]
    out = [plain_table(("task", "a sample", "one alone", "p99"), whole)]
    for task in ("inference", "training"):
        rows = [(p.name, numbers.seconds(p.seconds), *map(_floor, (p.by_bytes, p.by_additions)),
                 "" if p.share is None else numbers.share(p.share)) for p in figures[f"{task}_phases"]]
        out += ["", plain_table((task, "a sample", "least by bytes", "by additions", "share"), rows)]
    return out


def _floor(seconds):
    return "" if seconds is None else numbers.seconds(seconds)


def stream_facts(figures) -> list:
    """Names and values of what a stream was measured to do."""
    f, delay, size = figures, figures["latency"], figures["memory"]

    def quantiles(name):
        text = {q: "-" if s is None else numbers.seconds(s) for q, s in delay[name].items()}
        return f"{text['median']}, p99 {text['p99']}, p99.9 {text['p999']}"

    return [
        ("Activity", f"{numbers.rates(f['spikes_hz'])} Hz by layer, {numbers.large(f['synops_per_event'])} SynOps an "
                     "event"),
        ("Sustained", f"{numbers.large(f['events_per_second'])} events/s on one thread over "
                      f"{numbers.large(f['events'])} events, {numbers.seconds(f['stream_seconds'])} of recordings in "
                      f"{numbers.seconds(f['seconds'])}"),
        ("Latency", f"at {numbers.large(delay['rate'])} events/s, {numbers.large(delay['spikes'])} output spikes: "
                    f"{quantiles('certain')} after the event that made a spike certain; {quantiles('last')} after the "
                    "last event before it"),
        ("Memory", f"{memory(size['start'])} at the start, {memory(size['end'])} at the end, {memory(size['most'])} at "
                   "most"),
    ]


def growth_table(curves):
    """A row a sweep: where it went, and the exponents of time and memory."""
    rows = [
        (c.name, f"{numbers.large(c.x[0])} .. {numbers.large(c.x[-1])}",
         f"{numbers.seconds(c.seconds[0])} .. {numbers.seconds(c.seconds[-1])}", f"{c.exponent():.2f}",
         f"{memory(c.peak[0])} .. {memory(c.peak[-1])}", f"{c.exponent('peak'):.2f}")
        for c in curves if len(c.x) > 1
    ]
    return plain_table(("growth with", "from .. to", "time", "exponent", "peak memory", "exponent"), rows)


def memory(n_bytes) -> str:
    """A size: 376 MB."""
    return f"{numbers.large(n_bytes)}B"


def phase_dicts(phases) -> list[dict]:
    """Plain values of every phase."""
    return [asdict(p) | {"rate": p.rate} for p in phases]


def gpu_dict(figures) -> dict:
    """Plain values of what was measured on a GPU."""
    plain = {name: [asdict(p) | {"share": p.share} for p in figures[name]]
             for name in ("inference_phases", "training_phases")}
    return figures | plain


def curve_dicts(curves) -> list[dict]:
    """Plain values of every curve."""
    return [asdict(c) | {"exponent": c.exponent(), "peak_exponent": c.exponent("peak")} for c in curves
            if len(c.x) > 1]

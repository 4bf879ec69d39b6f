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


def curve_dicts(curves) -> list[dict]:
    """Plain values of every curve."""
    return [asdict(c) | {"exponent": c.exponent(), "peak_exponent": c.exponent("peak")} for c in curves
            if len(c.x) > 1]

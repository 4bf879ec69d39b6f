"""Orders of a spike list, by Python's own sort."""


def merge_items(items):
    """Spikes as a sorted list of (sample, tick, address) from a list of (sample, [(tick, address), ...])."""
    return sorted((sample, tick, address) for sample, spikes in items for tick, address in spikes)


def group_by_tick(ticks):
    """Runs [(tick, number of spikes), ...] of one sample's ticks."""
    return [(t, ticks.count(t)) for t in sorted(set(ticks))]


def group_by_address(samples, n_ticks):
    """{address: [sample * n_ticks + tick, ...]} of the (tick, address) pairs of some samples, in the order of time."""
    rows = {}
    for b, spikes in enumerate(samples):
        for tick, address in sorted(spikes):
            rows.setdefault(address, []).append(b * n_ticks + tick)
    return rows

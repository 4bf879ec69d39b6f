"""Orders of a spike list, by Python's own sort."""


def merge_items(items):
    """Spikes as a sorted list of (sample, tick, address) from a list of (sample, [(tick, address), ...])."""
    return sorted((sample, tick, address) for sample, spikes in items for tick, address in spikes)


def group_by_address(spikes):
    """Runs [(address, [tick, ...]), ...], addresses and ticks ascending, of one sample's (tick, address) pairs."""
    addresses = sorted({address for _, address in spikes})
    return [(a, sorted(tick for tick, address in spikes if address == a)) for a in addresses]

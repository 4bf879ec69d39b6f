"""Filters of events, one event at a time, with a table of all that happened."""


def denoise(events, width, height, window):
    """The events (t, x, y, p) with a neighbour whose memory reaches beyond them.

    Every pixel has a memory, ``window`` us at the start, and the time of its last event plus ``window`` afterwards.
    """
    memory = {(x, y): window for x in range(width) for y in range(height)}
    kept = []
    for t, x, y, p in events:
        memory[x, y] = t + window
        around = [(x - 1, y), (x + 1, y), (x, y - 1), (x, y + 1)]
        if any(memory[pixel] > t for pixel in around if pixel in memory):
            kept.append((t, x, y, p))
    return kept


def refractory_filter(events, period):
    """The events (t, x, y, p) that come ``period`` us or more after the last one kept of their pixel and polarity."""
    kept = []
    for t, x, y, p in events:
        if not any((x, y, p) == other[1:] and t - other[0] < period for other in kept):
            kept.append((t, x, y, p))
    return kept


def hot_pixel_filter(events, most):
    """The events of pixels and polarities with ``most`` events or fewer."""
    addresses = [event[1:] for event in events]
    return [event for event in events if addresses.count(event[1:]) <= most]

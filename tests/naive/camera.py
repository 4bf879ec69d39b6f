"""One pixel of an event camera, step by step: what it sees, what it remembers, when it fires."""

import math


def pixel_events(seen, step, follow, leak, on, off, rest, phase):
    """Events [(time, polarity)] of a pixel that sees ``seen[k]`` (log intensity) at the times k * step."""
    v, reset, silent_until = seen[0], seen[0] + phase, -math.inf
    asleep = False
    events = []
    for k in range(1, len(seen)):
        begin, end = (k - 1) * step, k * step
        slope = follow * (seen[k] - v) / step
        reset -= leak
        while True:
            if asleep and silent_until >= end:
                break
            if asleep:
                reset, asleep = v + slope * (silent_until - begin), False
            at_end = v + slope * step
            if at_end - reset >= on:
                polarity, bound = 1, reset + on
            elif reset - at_end >= off:
                polarity, bound = 0, reset - off
            else:
                break
            time = begin + (bound - v) / slope if slope != 0 else begin
            time = min(max(time, silent_until, begin), end)
            events.append((time, polarity))
            silent_until, asleep = time + rest, True
        v += slope * step
    return events


def seen_by(scene, row, column, down, right, x, y):
    """Log intensity before pixel (x, y) at every step, by bilinear interpolation."""
    out = []
    for r, c, d, f in zip(row + y, column + x, down, right, strict=True):
        above = scene[r][c] + f * (scene[r][c + 1] - scene[r][c])
        below = scene[r + 1][c] + f * (scene[r + 1][c + 1] - scene[r + 1][c])
        out.append(above + d * (below - above))
    return out

"""Streams of records, one after the other."""

WRAP = 1 << 23


def nmnist(data, endless=True):
    """Events (t, x, y, p) of five-byte records in an endless stream, and how often the time was wrapped.

    endless : False as in a file, whose time does not wrap
    """
    events, overflow, turns, last = [], 0, 0, 0
    for i in range(0, len(data) - len(data) % 5, 5):
        x, y, high, middle, low = data[i : i + 5]
        if y == 240:
            overflow += 8192
            continue
        raw = ((high & 127) << 16) + (middle << 8) + low
        if endless and raw < last - WRAP // 2:
            turns += 1
        elif raw > last + WRAP - (1 << 20) and turns > 0:
            turns -= 1
        last = raw
        events.append((turns * WRAP + overflow + raw, x, y, high >> 7))
    return events, turns


def lines(data):
    """Events (t, x, y, p) of text without a header, and the number of lines that are neither empty nor an event."""
    events, bad = [], 0
    for line in data.decode("latin-1").replace("\r\n", "\n").split("\n"):
        cells = [cell.strip(" \t") for cell in line.split(",")]
        digits = [cell.removeprefix("-") for cell in cells]
        whole = all(d and all(c in "0123456789" for c in d) for d in digits)
        if len(line) <= 1000 and len(cells) == 4 and whole and all(abs(int(c)) < 1 << 51 for c in cells):
            events.append(tuple(map(int, cells)))
        elif line.strip():
            bad += 1
    return events, bad

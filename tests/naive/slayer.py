"""SLAYER's spike files, one record after the other, written out in bits."""


def _records(data, widths):
    """Numbers of every record, whose fields are so many bits wide, the highest first."""
    size = sum(widths) // 8
    for start in range(0, len(data), size):
        bits = "".join(f"{byte:08b}" for byte in data[start : start + size])
        row = []
        for width in widths:
            row.append(int(bits[:width], 2))
            bits = bits[width:]
        yield row


def bs1(data):
    """Events (t, x, y, p)."""
    return [(t, neuron, 0, p) for neuron, p, t in _records(data, (16, 1, 23))]


def bs3(data):
    """Events (t, x, y, p)."""
    return [(t, x, y, p) for x, y, p, t in _records(data, (12, 12, 8, 24))]


def bsn(data):
    """Rows (neuron, begin, end, count)."""
    return list(_records(data, (16, 24, 24, 16)))

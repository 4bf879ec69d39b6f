"""Counts of things in words, for messages of every layer."""


def several(n, noun, plural=None) -> str:
    """A number of things and their noun: 1 epoch, 2,000 samples."""
    return f"{n:,} {noun if n == 1 else plural or noun + 's'}"


def tally(counts) -> str:
    """Counts by name, without those of nothing: 1,200 outside, 1 cut."""
    return ", ".join(f"{n:,} {name}" for name, n in counts.items() if n)

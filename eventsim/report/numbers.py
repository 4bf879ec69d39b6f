"""Numbers as people read them: with units, and no more digits than they mean."""

import numpy as np

from eventsim.wording import several as several

_NONE = "-"


def count(n) -> str:
    """A number of things: 4,325."""
    return f"{n:,}"


def large(n) -> str:
    """A number of things, to three digits: 512, 2.11 M, 355 M."""
    if n < 999.5:
        return f"{n:.3g}"
    for factor, suffix in ((1e3, "k"), (1e6, "M"), (1e9, "G"), (1e12, "T")):
        if n < 999.5 * factor:
            value = n / factor
            return f"{value:.{2 if value < 9.995 else 1 if value < 99.95 else 0}f} {suffix}"
    return f"{n:.2e}"


def plain(x) -> str:
    """A figure, to three digits or its whole part, without an exponent: 0.0021, 12.5, 3,250."""
    return f"{x:,.0f}" if abs(x) >= 999.5 else np.format_float_positional(float(f"{x:.3g}"), trim="-")


def share(x) -> str:
    """A share as a percentage: 3.1 %, 0.42 %; a dash for None."""
    if x is None:
        return _NONE
    percent = 100 * x
    if 0 < percent < 0.005:
        return "< 0.01 %"
    digits = 0 if percent in (0, 100) else 1 if percent >= 0.995 else 2
    return f"{percent:.{digits}f} %"


def optional(x, text="{:.2f}") -> str:
    """A number as ``text`` says; a dash for None."""
    return _NONE if x is None else text.format(x)


def potential(x) -> str:
    """What was read of a potential, to three digits: 1.04, -0.0213."""
    return "0" if x == 0 else f"{x:.3g}"


def seconds(s) -> str:
    """A time: 120 us, 1.23 ms, 4.5 s, 2 min 5 s."""
    if s < 1e-3:
        return f"{1e6 * s:.0f} us"
    if s < 1:
        ms = 1e3 * s
        return f"{ms:.{2 if ms < 9.995 else 1 if ms < 99.95 else 0}f} ms"
    return f"{s:.1f} s" if s < 59.95 else f"{(s + 0.5) // 60:.0f} min {(s + 0.5) % 60 // 1:.0f} s"


def energy(joules) -> str:
    """An energy, to three digits: 40.1 uJ, 2.30 mJ."""
    if not joules:
        return "0 J"
    for factor, unit in ((1e-12, "pJ"), (1e-9, "nJ"), (1e-6, "uJ"), (1e-3, "mJ")):
        if joules < 999.5 * factor:
            return f"{joules / factor:.3g} {unit}"
    return f"{joules:.3g} J"


def size(n_bytes) -> str:
    """An amount of memory: 512 KiB, 2 MiB, 79.1 GiB."""
    for power, unit in ((3, "GiB"), (2, "MiB"), (1, "KiB")):
        if n_bytes >= 1024**power:
            return f"{n_bytes / 1024**power:.3g} {unit}"
    return f"{n_bytes} bytes"


def rates(values) -> str:
    """Spikes a neuron of every layer, in one short line: 4.1 3.9 18; a dash for None."""
    return " ".join(_NONE if v is None else f"{v:.1f}" if v < 9.95 else f"{v:.0f}" for v in values)

"""Words of Prophesee's formats, one after the other."""

from collections import Counter

EVT2_KINDS = {10: "trigger", 14: "other", 15: "continued"}
EVT3_KINDS = {7: "continued", 10: "trigger", 13: "imu", 14: "other", 15: "continued"}


def evt2(words):
    """Events (t, x, y, p) of 32-bit words, and what was skipped."""
    events, skipped, high = [], Counter(), None
    for word in words:
        kind = word // 2**28
        if kind == 8:
            said = word % 2**28
            if high is None:
                high = said
            else:
                turns, last = divmod(high, 2**28)
                high = (turns + (last - said >= 2**27)) * 2**28 + said
        elif kind > 1:
            skipped[EVT2_KINDS.get(kind, "unknown")] += 1
        elif high is None:
            skipped["early"] += 1
        else:
            events.append((high * 64 + word // 2**22 % 64, word // 2**11 % 2**11, word % 2**11, kind))
    return events, skipped


def evt3(words):
    """Events (t, x, y, p) of 16-bit words, and what was skipped."""
    events, skipped = [], Counter()
    high = low = row = base = sign = None

    def event(x, p):
        if None in (high, row, x):
            skipped["early"] += 1
        else:
            events.append((high * 4096 + low, x, row, p))

    for word in words:
        kind, value = divmod(word, 4096)
        if kind == 0:
            row = value % 2048
        elif kind == 2:
            event(value % 2048, value // 2048)
        elif kind == 3:
            base, sign = value % 2048, value // 2048
        elif kind in (4, 5):
            width = {4: 12, 5: 8}[kind]
            for k in range(width):
                if value // 2**k % 2:
                    event(None if base is None else base + k, sign)
            if base is not None:
                base = min(base + width, 4095)
        elif kind == 6 and high is not None:
            if low - value >= 2048:
                high += 1
            low = value
        elif kind == 8:
            said = value
            if high is not None:
                turns, last = divmod(high, 4096)
                said += 4096 * (turns + (last - value >= 2048))
            if said != high:
                high, low = said, 0
        elif kind != 6:
            skipped[EVT3_KINDS.get(kind, "unknown")] += 1
    return events, skipped


def dat(records, x_bits, y_bits):
    """Events (t, x, y, p) of pairs of 32-bit words."""
    events, turns, last = [], 0, 0
    for low, pixel in records:
        turns += last - low >= 2**31
        last = low
        events.append((turns * 2**32 + low, pixel % 2**x_bits, pixel // 2**x_bits % 2**y_bits,
                       pixel // 2 ** (x_bits + y_bits) % 16))
    return events

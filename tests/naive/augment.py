"""Augmentation of a sample, one spike at a time, by numbers that were drawn before."""


def augmented(when, address, table, moves, stays, end, keep_repeats):
    """Sorted (when, address), and how many went where.

    table : new address of every address, below 0 where there is none; moves : what is added to each time; stays : bool
    for each spike, whether it is kept at all; end : the first time after the window
    """
    spikes, counts = [], {"merged": 0, "before": 0, "after": 0, "left": 0, "dropped": 0}
    for t, a, move, stay in zip(when, address, moves, stays, strict=True):
        spike = t + move, table[a]
        if not stay:
            counts["dropped"] += 1
        elif spike[0] < 0:
            counts["before"] += 1
        elif spike[0] >= end:
            counts["after"] += 1
        elif spike[1] < 0:
            counts["left"] += 1
        elif spike in spikes and not keep_repeats:
            counts["merged"] += 1
        else:
            spikes.append(spike)
    return sorted(spikes), counts

"""Which events of a stream are taken, and at what time, one after the other as they come. Times are microseconds."""


def admit(times, reorder, late):
    """Events in the order of their arrival; ``late`` is "drop" or "now".

    Returns ``(taken, counts)``: pairs (time, number of the event), and how many were dropped, moved and reordered. An
    event is late where it is earlier than the latest one before it by more than ``reorder``, or than zero.
    """
    taken, counts = [], {"dropped": 0, "moved": 0, "reordered": 0}
    latest = None
    for i, t in enumerate(times):
        certain = 0 if latest is None else max(0, latest - reorder)
        if t < certain:
            counts["dropped" if late == "drop" else "moved"] += 1
            if late == "now":
                taken.append((certain, i))
        else:
            counts["reordered"] += latest is not None and t < latest
            taken.append((t, i))
        latest = t if latest is None else max(latest, t)
    return taken, counts

"""What an event store holds: recordings without labels. (One that is alone, and a data set, are shown as such.)"""

from eventsim.report import numbers


def describe(held) -> dict:
    """The recordings of an open `Store`, and the events of each."""
    recordings = [{"name": held.recording_name("recordings", i), "events": held.n_events("recordings", i)}
                  for i in range(len(held))]
    return {"kind": "recordings", "source": held.source, "sensor": str(held.sensor), "recordings": recordings}


def screen(f) -> list:
    """The figures of `describe` as lines and a table."""
    from eventsim.report.tables import plain_table

    total = sum(one["events"] for one in f["recordings"])
    rows = [(one["name"], numbers.count(one["events"])) for one in f["recordings"]]
    return [[("Store", f["source"]), ("Sensor", f["sensor"]),
             ("Holds", f"{numbers.several(len(rows), 'recording')}, {numbers.count(total)} events")],
            "", plain_table(("recording", "events"), rows)]

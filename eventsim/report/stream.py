"""What a network says of a stream while it runs, in the order of time, and what became of it in the end."""

import numpy as np

from eventsim.engine.recent import Potentials, Scores, StreamSpikes
from eventsim.report import numbers

_MOST_COUNTS = 20  # outputs whose counts fit in a line


class Scoreboard:
    """Puts output spikes in order with scores at every multiple of ``every`` ms of stream time.

    Scores are left out while there are none: where neither this window nor the one before it holds a spike.

    window : a fresh one, of `eventsim.engine.recent.window_of`
    shows_spikes : whether the spikes that scores are of are given back among them
    """

    def __init__(self, every, window, shows_spikes=True):
        self._every, self._recent, self._shows_spikes = every, window, shows_spikes
        self._following, self._fired = 1, False  # number of the next scores, and whether the last ones had a spike

    def take(self, spikes: StreamSpikes, certain_ms):
        """Yield `StreamSpikes`, and `Scores` or `Potentials`, up to a certain time, after those before, by time.

        spikes : what `Stream.deciding` gives
        """
        self._recent.add(spikes)
        if not self._shows_spikes:
            spikes = StreamSpikes(*(column[:0] for column in spikes))
        done = 0
        for scores in self._due(certain_ms):
            end = int(np.searchsorted(spikes.time, scores.time))
            if end > done:
                yield StreamSpikes(*(column[done:end] for column in spikes))
            done = end
            yield scores
        if done < len(spikes.time):
            yield StreamSpikes(*(column[done:] for column in spikes))
        self._recent.forget(self._following * self._every)

    def _due(self, certain):
        while (at := self._following * self._every) <= certain:
            scores = self._recent.scores(at)
            fires = not scores.is_empty
            if fires or self._fired:
                yield scores
                self._following += 1
            else:  # on to where something happens, however far that is
                next_spike = self._recent.first(at)
                goal = certain if next_spike is None else next_spike
                self._following = max(self._following + 1, int(goal // self._every))
            self._fired = fires


def lines(item) -> list[str]:
    """Text for `StreamSpikes`, a line each, or for `Scores` or `Potentials`."""
    if isinstance(item, StreamSpikes):
        return [f"{t:.3f} ms  output {i}" for t, i in zip(*map(np.ndarray.tolist, item), strict=True)]
    (figures,) = objects(item)
    return [f"{item.time:.3f} ms  class {_verdict(figures)}  {figures.get('readout', 'spikes')} {_short(figures)}"]


def _verdict(figures):
    return "-" if figures["class"] is None else figures["class"]


def _short(figures):
    """The counts or potentials of scores, of many the first."""
    shown = figures["counts"] if "counts" in figures else [numbers.potential(x) for x in figures["scores"]]
    more = f" and {len(shown) - _MOST_COUNTS} more" if len(shown) > _MOST_COUNTS else ""
    return " ".join(map(str, shown[:_MOST_COUNTS])) + more


def objects(item) -> list[dict]:
    """The same as plain values; the class is None where nothing fired, or moved a potential."""
    if isinstance(item, Scores | Potentials):
        figures = {"kind": "scores", "time": item.time, "class": None if item.is_empty else item.chosen}
        if isinstance(item, Scores):
            return [figures | {"counts": item.counts.tolist()}]
        return [figures | {"readout": item.kind, "scores": item.potentials.tolist()}]
    return [{"kind": "spike", "time": t, "neuron": i} for t, i in zip(*map(np.ndarray.tolist, item), strict=True)]


def summary(stream, source, decoder, seconds) -> dict:
    """The last scores and everything that was counted, as plain values; seconds are those that the events took."""
    report, network = stream.report, stream.network
    (scores,) = objects(stream.scores())
    layers = [
        {"name": name, "neurons": layer.n_out, "spikes": spikes, "synops": synops}
        for name, layer, spikes, synops in zip(
            network.layer_names, network.layers, report.spikes, report.synops, strict=True)
    ]
    return {
        "kind": "summary", "source": source.name,
        **{name: value for name, value in scores.items() if name not in ("kind", "time")},
        "score_ms": stream.score_ms, "score_end_ms": scores["time"], "events": report.events,
        "processed": report.processed, "held": report.held, "late_dropped": report.dropped, "late_moved": report.moved,
        "reordered": report.reordered, **decoder.counts,
        "dropped_events": source.dropped_events, "dropped_datagrams": source.dropped_datagrams,
        "lost_datagrams": source.lost_datagrams, "clients": source.clients, "backlog_bytes": source.backlog,
        "buffer_bytes": source.capacity, "first_ms": report.first_ms, "stream_ms": report.certain_ms,
        "seconds": seconds, "events_per_second": report.events / seconds if seconds > 0 else None, "layers": layers,
        "spikes": sum(report.spikes), "synops": sum(report.synops),
    }


def screen(figures) -> list:
    """The same as names and values, and a table of the layers."""
    from eventsim.report.tables import plain_table

    f = figures
    rate = f["events_per_second"]
    speed = f", {numbers.large(rate)} a second" if rate else ""
    skipped = f"{numbers.count(f['outside'])} outside the sensor, {numbers.count(f['bad'])} that are no events"
    facts = [
        ("Stream", f"{f['source']}, certain up to {f['stream_ms']:.3f} ms"),
        ("Class", f"{_verdict(f)}, output {'spikes' if 'counts' in f else 'potentials, ' + f['readout']} in the "
                  f"{f['score_ms']:g} ms up to {f['score_end_ms']:.3f} ms: {_short(f)}"),
        ("Events", f"{numbers.count(f['events'])} in {numbers.seconds(f['seconds'])}{speed}; "
                   f"{numbers.count(f['held'])} not yet certain"),
        ("Order", f"{numbers.count(f['reordered'])} came out of order but in time; of the late, "
                  f"{numbers.count(f['late_dropped'])} were dropped and {numbers.count(f['late_moved'])} taken as of "
                  "then"),
        ("Skipped", f"{skipped}, {numbers.count(f['cut'])} cut off"),
        ("Backlog", f"{numbers.large(f['backlog_bytes'])}B of {numbers.large(f['buffer_bytes'])}B at the busiest; "
                    f"{numbers.several(f['dropped_events'], 'event')} in "
                    f"{numbers.several(f['dropped_datagrams'], 'datagram')} dropped, "
                    f"{numbers.several(f['lost_datagrams'], 'datagram')} lost by the system"),
    ]
    duration = f["stream_ms"] - f["first_ms"]
    spiking = f["layers"][:-1] if "readout" in f else f["layers"]
    rows = [
        (layer["name"], numbers.count(layer["neurons"]), numbers.large(layer["spikes"]),
         f"{1000 * layer['spikes'] / layer['neurons'] / duration:.1f}" if duration > 0 and layer in spiking else "-",
         numbers.large(layer["synops"]))
        for layer in f["layers"]
    ]
    rows.append(("all", numbers.count(sum(layer["neurons"] for layer in f["layers"])), numbers.large(f["spikes"]), "",
                 numbers.large(f["synops"])))
    return [facts, "", plain_table(("layer", "neurons", "spikes", "Hz", "SynOps"), rows)]

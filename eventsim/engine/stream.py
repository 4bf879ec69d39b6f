"""Running a network on an endless stream: what has become certain is run, in continuous time, and then forgotten."""

import math
import numbers
from dataclasses import dataclass

import numpy as np

from eventsim import checks
from eventsim.engine.exact_stream import ExactNetwork
from eventsim.engine.exact_wiring import check_settles
from eventsim.engine.feed import arrivals
from eventsim.engine.gpu.devices import check_on_host
from eventsim.engine.queue import NetworkQueue
from eventsim.engine.recent import NO_SPIKES, Potentials, Scores, StreamSpikes, window_of
from eventsim.errors import ConfigError
from eventsim.events import Arrivals
from eventsim.model import Network
from eventsim.sensor import mismatch

LATE = ("drop", "now", "stop")
_SAMPLE = 300.0  # ms, where the model does not say how long one is
_MOST_REORDER = 1e6  # ms
# us, 71 years: there a float64 in ms is still finer than a microsecond, and a dead time longer than its last bit.
_END = 1 << 51
_NOTHING_YET = -(1 << 62)  # us, earlier than any event by more than any tolerance


@dataclass(frozen=True)
class StreamReport:
    """What became of a stream so far: ``events = processed + held + dropped``.

    first_ms is the time of the earliest event that was processed or, where there was none, 0. held are events that
    wait until their time is certain; dropped and moved are late ones, left out or taken at the time that was
    certain; reordered are those that came after a later one, but in time. synops and spikes are by layer.
    """

    events: int
    processed: int
    held: int
    dropped: int
    moved: int
    reordered: int
    synops: tuple[int, ...]
    spikes: tuple[int, ...]
    certain_ms: float
    first_ms: float

    @property
    def late(self) -> int:
        """Events that came later than the tolerance allows."""
        return self.dropped + self.moved


class Stream:
    """A network that runs on events as they come, on the exact clock.

    An output spike is *certain*, and is given out, once no event can come any more that is earlier: an event at time t
    makes everything before t - ``reorder_ms`` certain, `advance` what is before the time it is told. Events of one
    microsecond may therefore come in different pushes, and results do not depend on how a stream is cut into pushes,
    but for rounding: 1e-12 ms a spike, which neurons that fire hundreds of times within tau_ref amplify.

    Parameters
    ----------
    network : of no sparse layers; those with delays or recurrence go through the event queue
    reorder_ms : tolerance within which events may come out of order; they are held and sorted
    late : what becomes of those that come later than that (or lie before the stream's zero): "drop", "now" (taken at
        the time that is certain), or "stop" (`push` raises)
    score_ms : length of the window that `scores` are of; None: the model's sample, else 300 ms

    Where the last layer's potentials are read there are no output spikes; `scores` reads them over the window, as of a
    sample that it is.

    Times are float64 ms from the stream's zero, and exact microseconds inside: after a day they resolve 0.02 ns, after
    71 years, the longest stream, half a microsecond. Memory is bounded by the layers' sizes, the events within the
    tolerance, the spikes within ``score_ms`` that scores are of, and those that were not taken yet. Raises
    `ConfigError`.
    """

    def __init__(self, network, *, reorder_ms=0.0, late="drop", score_ms=None):
        _check_network(network)
        self.network = network
        self._reorder = round(1000 * _time("reorder_ms", reorder_ms, _MOST_REORDER))
        self.late = checks.choice("late", late, LATE)
        span = _sample_of(network) if score_ms is None else checks.milliseconds("score_ms", score_ms)
        self._recent = window_of(network, span)
        spiking = network.spiking
        self._engine = (ExactNetwork if spiking.is_immediate else NetworkQueue)(spiking)
        self._arrivals = [arrivals(layer) for layer in network.layers]
        self._held_t, self._held_address = np.empty(0, np.int64), np.empty(0, np.int32)
        self._untaken: list[StreamSpikes] = []
        self._latest, self._certain, self._last_ms = _NOTHING_YET, 0, 0.0  # us, us, ms of any spike
        self._first, self._finished, self._end = None, False, 0.0  # us; ms, of the last window
        self._counts = dict.fromkeys(("events", "processed", "dropped", "moved", "reordered"), 0)
        self._synops, self._spikes = [0] * len(network.layers), [0] * len(network.layers)

    def push(self, events):
        """Take `Events`, or `Arrivals` in whatever order, and run what they make certain.

        Raises `ConfigError`, and takes none of them, where they do not fit the network or lie too far in the future;
        where one is late and late ones are refused, those before it are taken.
        """
        self._check_events(events)
        if not len(events):
            return
        latest = np.maximum.accumulate(np.concatenate(([self._latest], events.t)))
        certain = np.maximum(latest - self._reorder, self._certain)  # before every event, and after the last
        t, address, before = events.t, events.address, certain[:-1]
        late = t < before
        n_late = int(np.count_nonzero(late))
        if n_late and self.late == "stop":
            i = int(np.argmax(late))
            self.push(Arrivals(*(getattr(events, name)[:i] for name in "txyp"), events.sensor))
            raise ConfigError(
                f"an event at {t[i] / 1000:.3f} ms came when the stream was certain up to {before[i] / 1000:.3f} ms; "
                "allow for it with a larger tolerance (reorder_ms, --reorder), or let late events be dropped or taken "
                "as of now (late, --late)"
            )
        self._counts["events"] += len(t)
        self._counts["reordered"] += int(np.count_nonzero((t < latest[:-1]) & ~late))
        if n_late and self.late == "drop":
            self._counts["dropped"] += n_late
            t, address = t[~late], address[~late]
        elif n_late:
            self._counts["moved"] += n_late
            t = np.where(late, before, t)
        self._latest = int(latest[-1])
        self._held_t = np.concatenate((self._held_t, t))
        self._held_address = np.concatenate((self._held_address, address))
        self._run_to(int(certain[-1]))

    def advance(self, t_ms):
        """Take it that no event earlier than ``t_ms`` comes any more, and run up to there; an earlier time is no news.

        Those that come all the same are late. Raises `ConfigError` for what is no time.
        """
        self._check_open()
        self._run_to(_ceiling(_time("t_ms", t_ms, _END / 1000)))

    def finish(self):
        """Take it that no event comes any more, and run on until no neuron can fire any more; then the stream ends.

        A recurrent network may fire for ever, and a neuron that a constant input drives does. Such networks are run up
        to where the window of the last `scores` ends.
        """
        if self._finished:
            return
        self._finished = True
        self._end = self._end_of_scores()
        self._run(np.ones(len(self._held_t), bool), self._end if self._engine.fires_on else math.inf)
        if self._first is not None or any(self._spikes):
            self._certain = max(self._certain, _ceiling(max(self._end, math.nextafter(self._last_ms, math.inf))))
        self._recent.forget(self._end)

    def _end_of_scores(self):
        """Where the last window ends, ms: with the input, or with the sample that all of it fits in.

        Not with the last spike: what fires on without any input would be all that a window holds then.
        """
        end, first = self._certain, self._first
        if len(self._held_t):
            end = max(end, int(self._held_t.max()) + 1)
            first = int(self._held_t.min()) if first is None else first
        span = min(self._recent.span, _sample_of(self.network))
        # A sample begins at zero, or with the first event of a recording that lies elsewhere; 1 us before that, so that
        # rounding cannot leave it out.
        begin = 0.0 if first is None or end <= 1000 * span else (first - 1) / 1000
        return max(end / 1000, begin + span)

    def spikes(self) -> StreamSpikes:
        """The output spikes that became certain since the last call."""
        taken = self.deciding()
        return taken if self.network.readout is None else NO_SPIKES

    def deciding(self) -> StreamSpikes:
        """The spikes that scores are of, which became certain since the last call of this or of `spikes`.

        They are the output spikes, or those that reach the last layer where its potentials are read.
        """
        taken, self._untaken = self._untaken, []
        return StreamSpikes(*map(np.concatenate, zip(NO_SPIKES, *taken, strict=True)))

    def scores(self) -> Scores | Potentials:
        """Output spikes over the last ``score_ms`` of what is certain, and the class: most spikes, ties to the lowest.

        Or what is read of output potentials, and the highest. After `finish` the window ends with the last event (or
        where time was said to be), or with the sample that all events fit in, as that of a simulation does.
        """
        return self._recent.scores(self._end if self._finished else self._certain / 1000)

    @property
    def latest_ms(self) -> float:
        """Time of the latest event so far, ms (0 where there was none)."""
        return max(self._latest, 0) / 1000

    @property
    def report(self) -> StreamReport:
        """What became of the stream so far."""
        return StreamReport(**self._counts, held=len(self._held_t), synops=tuple(self._synops),
                            spikes=tuple(self._spikes), certain_ms=self._certain / 1000,
                            first_ms=(self._first or 0) / 1000)

    @property
    def score_ms(self) -> float:
        """Length of the window that `scores` are of."""
        return self._recent.span

    def _check_open(self):
        if self._finished:
            raise ConfigError("the stream is finished and takes no more; make a new Stream for the next one")

    def _check_events(self, events):
        self._check_open()
        if not isinstance(events, Arrivals):
            raise ConfigError(f"a stream takes Events or Arrivals, got {type(events).__name__}")
        if events.sensor != self.network.sensor:
            raise ConfigError(mismatch("what came", events.sensor, self.network.sensor))
        if len(events) and events.t.max() > _END:
            raise ConfigError(f"event times must not lie beyond {_END} us, got {events.t.max()}; count them from the "
                              "stream's own zero")

    def _run_to(self, certain):
        """Make everything before ``certain`` us certain."""
        if certain <= self._certain:
            return
        self._certain = certain
        self._run(self._held_t < certain, certain / 1000)
        self._recent.forget(certain / 1000)

    def _run(self, ready, until):
        """Run the events that are ready, and every layer up to ``until`` ms."""
        t, address = self._held_t[ready], self._held_address[ready]
        self._held_t, self._held_address = self._held_t[~ready], self._held_address[~ready]
        self._counts["processed"] += len(t)
        if self._first is None and len(t):
            self._first = int(t.min())
        if np.any((t[1:] < t[:-1]) | ((t[1:] == t[:-1]) & (address[1:] < address[:-1]))):
            order = np.lexsort((address, t))
            t, address = t[order], address[order]
        layers = [StreamSpikes(*found) for found in self._engine.advance(t / 1000, address, until)]
        deciding = (layers or [StreamSpikes(t / 1000, address)])[-1]
        layers += [NO_SPIKES] * (len(self.network.layers) - len(layers))
        for i, spikes in enumerate(layers):
            reached = self._arrivals[i][address]
            self._synops[i] += self.network.layers[i].synops(reached[reached >= 0], spikes.address)
            self._spikes[i] += len(spikes.time)
            address = spikes.address
            if len(address):
                self._last_ms = max(self._last_ms, float(spikes.time[-1]))
        if len(deciding.time):
            self._untaken.append(deciding)
            self._recent.add(deciding)


def _check_network(network):
    if not isinstance(network, Network):
        raise ConfigError(f"a stream runs a Network, got {type(network).__name__}; eventsim.load gives one")
    check_on_host(network, "a stream")
    check_settles(network)
    for name, layer in zip(network.layer_names, network.layers, strict=True):
        if layer.kind == "sparse":
            raise ConfigError(f"a stream does not run sparse layers, but {name} is {layer}; run recordings through it "
                              "on the grid")


def _sample_of(network) -> float:
    """Length of a sample in ms."""
    return _SAMPLE if network.n_ticks is None else network.n_ticks * network.dt


def _time(name, value, most) -> float:
    """``value`` as a time in ms in 0..most."""
    number = math.nan if isinstance(value, bool) or not isinstance(value, numbers.Real) else float(value)
    if not 0 <= number <= most:
        raise ConfigError(f"{name} must be a time in ms, from 0 to {most:g}, got {value!r}")
    return number


def _ceiling(t_ms) -> int:
    """The first microsecond whose time in ms is not before ``t_ms``; that of 1.1 ms is 1100, in spite of rounding."""
    us = round(t_ms * 1000)
    while us / 1000 < t_ms:
        us += 1
    while (us - 1) / 1000 >= t_ms:
        us -= 1
    return us

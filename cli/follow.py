"""``eventsim simulate --follow``: a network on events as they come."""

import json
import os
import time

import click

from eventsim.cli import options

_LATE = {"drop": "dropped", "now": "taken as if they came on time", "stop": "refused"}
_LEAST_EVERY = 1.0  # ms: more scores than that nobody reads, and a line for each microsecond stops for nothing
_LEAST_PAUSE = 1e-3  # s
_PAUSE = 0.1  # s without an event after which we look whether to stop, at the latest

follow_flag = click.option("--follow", is_flag=True,
                           help="Run on events as they come, until they end or Ctrl-C. FILE may also be "
                                "udp://HOST:PORT or tcp://HOST:PORT, which are listened on.")
_LIVE = (
    click.option("--every", type=float, default=100.0, show_default=True, metavar="MS",
                 help="Following: stream time from one line of scores to the next."),
    click.option("--score", type=float, metavar="MS",
                 help="Following: time that scores count over.  [default: the model's sample]"),
    click.option("--no-spikes", is_flag=True, help="Following: print scores only."),
    click.option("--reorder", type=float, default=0.0, show_default=True, metavar="MS",
                 help="Following: how late events may come and still be sorted in; output waits as long."),
    click.option("--late", type=click.Choice(["drop", "now", "stop"]), default="drop", show_default=True,
                 help="Following: what becomes of later ones; now takes them as if they came on time."),
    click.option("--idle", type=float, metavar="MS",
                 help="Following: after so long a silence, let the stream's time go on with the clock on the wall."),
    click.option("--buffer", type=click.FloatRange(0.001, 1024), default=8.0, show_default=True, metavar="MIB",
                 help="Following: what may wait. Pipes, files and TCP are held back then, UDP is dropped."),
    click.option("--once", is_flag=True,
                 help="Following: end at the end of the file or with the first TCP client. Any format runs so."),
)


def live_options(function):
    """The options that mean something only beside ``--follow``."""
    for option in reversed(_LIVE):
        function = option(function)
    return function


class _Screen:
    """Prints what becomes certain, at once."""

    def __init__(self, stream, every, no_spikes, as_json):
        from eventsim.engine.recent import window_of
        from eventsim.report.stream import Scoreboard

        self.stream, self.as_json = stream, as_json
        shows_spikes = not no_spikes and stream.network.readout is None
        self.board = Scoreboard(every, window_of(stream.network, stream.score_ms), shows_spikes)

    def show(self):
        """Print what became certain since the last call."""
        from eventsim.report import stream as report

        lines = []
        for item in self.board.take(self.stream.deciding(), self.stream.report.certain_ms):
            lines += [json.dumps(one) for one in report.objects(item)] if self.as_json else report.lines(item)
        if lines:
            click.echo("\n".join(lines))


class _Clock:
    """The stream's time against the clock on the wall."""

    def __init__(self, idle):
        self.idle = idle
        self.first = self.last = None  # s, when the first events came and the last ones were done with
        self.stream_ms = 0.0  # then

    def take(self, stream, events):
        """Let the stream take events that came."""
        self.first = time.monotonic() if self.first is None else self.first
        try:
            stream.push(events)
        finally:  # a late one that is refused ends the stream, which has taken those before it
            self.last = time.monotonic()
            self.stream_ms = max(stream.latest_ms, stream.report.certain_ms)

    def silence(self, stream):
        """None came for a while: after ``idle`` ms of that the stream goes on without them."""
        if self.idle is None or self.last is None:
            return
        waited = 1000 * (time.monotonic() - self.last)
        if waited >= self.idle:
            stream.advance(self.stream_ms + waited)

    @property
    def seconds(self) -> float:
        """Time that events took: from the first arrival until the last were done with."""
        return 0.0 if self.last is None else self.last - self.first


def follow(name, model, clock, codec, sensor, as_json, *, every, score, no_spikes, reorder, late, idle, buffer, once):
    """Run the command; what the options mean stands in their help."""
    from eventsim import checks
    from eventsim.cli.models import find_model
    from eventsim.cli.output import busy
    from eventsim.data.streams import Recorded, arrivals, open_source
    from eventsim.engine import Stream
    from eventsim.engine.warm_up import warm_up_stream
    from eventsim.errors import ConfigError
    from eventsim.trainer.interrupt import watch_for_interrupt

    if clock is not None and clock[0] != "exact":
        raise ConfigError("a stream runs on the exact clock, which --follow implies; leave --clock out")
    if checks.milliseconds("--every", every) < _LEAST_EVERY:
        raise ConfigError(f"--every must be at least {_LEAST_EVERY:g} ms of stream time, got {every:g}")
    if idle is not None:
        checks.milliseconds("--idle", idle)
    codec = _codec(name, codec, once)
    found = find_model(model)
    network = found.network
    if sensor not in (None, network.sensor):
        raise ConfigError(f"the network takes events of a {network.sensor} sensor, --sensor says {sensor}; leave it "
                          "out, or choose another --model")
    stream = Stream(network, reorder_ms=reorder, late=late, score_ms=score)
    tracking, screen = _Clock(idle), _Screen(stream, every, no_spikes, as_json)
    with watch_for_interrupt() as stop:
        with busy("loading kernels (they compile when first used)"):
            warm_up_stream(network)
        if codec.decoder is None:
            source = Recorded(name, codec.name, network.sensor, sensor)
            click.echo(f"running {_shown(name)} with {found}", err=True)
            _run(stream, source, source, source, stop, tracking, screen)
            return
        decoder = codec.decoder(network.sensor, lambda sentence: click.echo(f"{_shown(name)}: {sentence}", err=True))
        with open_source(name, capacity=round(buffer * 2**20), once=once, records=decoder.records) as source:
            click.echo(f"following {source.name} with {found}", err=True)
            pause = _PAUSE if idle is None else min(_PAUSE, max(_LEAST_PAUSE, idle / 4000))
            _run(stream, source, decoder, arrivals(source, decoder, pause), stop, tracking, screen)


def _shown(name):
    """What messages call a source."""
    return "standard input" if name == "-" else name


def _codec(name, codec, once):
    """The format of what is followed. One that has no decoder of streams is read from its first event to its last."""
    from eventsim.data import CODECS
    from eventsim.data.codecs import choose, codec_of
    from eventsim.data.streams import is_address
    from eventsim.errors import ConfigError

    if not is_address(name):
        options.refuse_missing(name)
    followed = ", ".join(one.name for one in CODECS.values() if one.decoder)
    if codec is None and (name == "-" or is_address(name)):
        raise ConfigError(f"{_shown(name)}: does not say its format; name it, e.g. --codec nmnist ({followed})")
    chosen = choose(name, codec) if codec is not None or not os.path.isfile(name) else codec_of(name)
    if chosen.decoder is None and is_address(name):
        raise ConfigError(f"{name}: {chosen.title} cannot be sent there, but {followed} can; read a file of it")
    if chosen.decoder is None and name != "-" and not once:
        raise ConfigError(f"{name}: recordings of {chosen.title} cannot be followed as they grow, those of {followed} "
                          "can; add --once to run it to its end")
    return chosen


def _run(stream, source, decoder, coming, stop, clock, screen):
    """Follow the events that are ``coming`` until they end, or are stopped, or cannot go on; say what became of it.

    source, decoder : what counts them
    """
    from eventsim.cli.output import show
    from eventsim.errors import EventsimError
    from eventsim.report import stream as report

    failure, told = None, False
    try:
        for events in coming:
            if stop.is_set():
                break
            if events is None:
                clock.silence(stream)
            elif len(events):
                clock.take(stream, events)
                if stream.report.late and not told:
                    told = True
                    click.echo(f"{source.name}: events come later than --reorder allows, the stream is certain up to "
                               f"{stream.report.certain_ms:.3f} ms; they are {_LATE[stream.late]} (--late) and counted",
                               err=True)
            screen.show()
        else:
            stream.finish()
    except EventsimError as error:
        failure = error
    screen.show()
    if failure is not None and not (stream.report.events or any(decoder.counts.values())):
        raise failure  # before there was anything to sum up
    figures = report.summary(stream, source, decoder, clock.seconds)
    if screen.as_json:
        click.echo(json.dumps(figures))
    else:
        show("", *report.screen(figures))
    if failure is not None:
        raise failure

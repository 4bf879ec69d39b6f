"""Streams: the same spikes however a stream is cut, and those of a simulation of the whole recording."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive import stream as naive

import eventsim as es
from eventsim.engine import windows
from eventsim.engine.recent import Recent, StreamSpikes
from eventsim.errors import ConfigError
from eventsim.model.layers import Sparse

SENSOR = es.Sensor(5, 2, 2)
N = SENSOR.n_addresses


@pytest.fixture(scope="module")
def network():
    """A small network whose layers fire, at most inputs."""
    network = es.Network("5x2x2-16-4", es.SRM(tau_syn=4.0), n_ticks=200, seed=None)
    rng = np.random.default_rng(1)
    for layer in network.layers:
        layer.weight = rng.normal(2.0, 6.0, (layer.n_in, layer.n_out))
    return network


def arrivals(t, address):
    x, y, p = np.array([SENSOR.pixel(a) for a in address]).reshape(-1, 3).T
    return es.Arrivals(t, x, y, p, SENSOR)


def recording(rng, n=400, last=250_000):
    """A recording in which times repeat."""
    t = np.sort(rng.integers(0, last // 100, n) * 100)
    return es.Events(t, *np.array([SENSOR.pixel(a) for a in rng.integers(0, N, n)]).T, SENSOR)


def cut(events, bounds):
    """The parts of events between bounds."""
    for first, last in zip([0, *bounds], [*bounds, len(events.t)], strict=True):
        yield es.Arrivals(*(getattr(events, name)[first:last] for name in "txyp"), SENSOR)


def outcome(stream, parts):
    """Spikes and report of a stream after some pushes and its end; spikes are taken now and then."""
    taken = []
    for i, part in enumerate(parts):
        stream.push(part)
        if i % 3 == 0:
            taken.append(stream.spikes())
    stream.finish()
    taken.append(stream.spikes())
    return [np.concatenate(columns) for columns in zip(*taken, strict=True)], stream.report


def assert_same_spikes(a, b):
    """Every neuron's spikes agree, their times but for rounding."""
    a, b = ([column[np.lexsort(spikes)] for column in spikes] for spikes in (a, b))
    assert np.array_equal(a[1], b[1])
    np.testing.assert_allclose(a[0], b[0], rtol=0, atol=1e-9)


def assert_same(a, b):
    assert_same_spikes(a[0], b[0])
    assert a[1] == b[1]


def test_equals_the_simulation_of_the_recording(network, rng):
    events = recording(rng)
    trace = network.simulate(events, clock="exact")
    (time, address), report = outcome(es.Stream(network), [events])
    inside = time < 200
    assert len(trace.output) > 50 and np.count_nonzero(~inside) > 0
    assert_same_spikes((time[inside], address[inside]), (trace.output.time, trace.output.address))
    assert (report.events, report.processed, report.held, report.late, report.reordered) == (400, 400, 0, 0, 0)
    assert report.spikes[1] == len(time) and report.spikes[0] > 0
    assert report.synops == (400 * 16, report.spikes[0] * 4)


@pytest.mark.parametrize("arch", ["5x2x2-16@d3-4", "5x2x2-16r-4@d0.7", "5x2x2-16r@d1.5-4r"])
def test_delays_and_recurrence_stream_too(rng, arch):
    network = es.Network(arch, es.SRM(tau_syn=4.0), n_ticks=200, seed=None)
    for layer in network.layers:
        for synapses in layer.projections:
            own = synapses is not layer
            synapses.weight = rng.normal(-1.0 if own else 2.0, 4.0 if own else 6.0, (synapses.n_in, synapses.n_out))
    events = recording(rng, last=190_000)
    trace = network.simulate(events, clock="exact")
    assert len(trace.output) > 50
    for bounds in ([], range(1, 400), np.sort(rng.integers(0, 401, 30))):
        (time, address), report = outcome(es.Stream(network), cut(events, bounds))
        inside = time < 200
        assert_same_spikes((time[inside], address[inside]), (trace.output.time, trace.output.address))
        spikes = [len(events), *report.spikes]
        assert report.synops == tuple(
            layer.synops(np.zeros(given), np.zeros(own))
            for layer, given, own in zip(network.layers, spikes, spikes[1:], strict=False)
        )


@pytest.mark.parametrize("way", ["one by one", "random", "by time"])
def test_cuts_do_not_matter(network, rng, way):
    events = recording(rng)
    bounds = {
        "one by one": range(1, 400), "random": np.sort(rng.integers(0, 401, 30)),
        "by time": np.flatnonzero(np.diff(events.t)) + 1,
    }[way]
    whole = outcome(es.Stream(network), [events])
    assert len(whole[0][0]) > 50
    assert_same(outcome(es.Stream(network), cut(events, bounds)), whole)


@settings(deadline=None, derandomize=True, max_examples=60)
@given(st.data())
def test_order_of_arrival_and_lateness_are_those_of_the_reference(network, data):
    """Whatever the cuts, the tolerance and the disorder: what is taken, and when, and how often it was late."""
    times = data.draw(st.lists(st.integers(-3, 40), min_size=1, max_size=60)) if data.draw(st.booleans()) else [
        i + data.draw(st.integers(-6, 6)) for i in range(40)
    ]
    times = [1000 * t for t in times]
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    address = rng.integers(0, N, len(times))
    reorder, late = data.draw(st.integers(0, 8)), data.draw(st.sampled_from(["drop", "now"]))
    bounds = sorted(data.draw(st.lists(st.integers(0, len(times)), max_size=12)))
    stream = es.Stream(network, reorder_ms=reorder, late=late)
    found, report = outcome(stream, cut(arrivals(times, address), bounds))

    taken, counts = naive.admit(times, 1000 * reorder, late)
    taken = sorted((t, address[i]) for t, i in taken)
    wanted, plain = outcome(es.Stream(network), [arrivals(*zip(*taken, strict=True))] if taken else [])
    assert_same_spikes(found, wanted)
    assert {name: getattr(report, name) for name in counts} == counts
    assert report.events == len(times) == report.processed + report.dropped
    assert (report.processed, report.spikes, report.synops) == (plain.processed, plain.spikes, plain.synops)


def test_a_spike_is_given_out_as_soon_as_it_is_certain_and_not_before(network, rng):
    events = recording(rng)
    (time, _), _ = outcome(es.Stream(network), [events])
    for reorder in (0, 7):
        stream, seen = es.Stream(network, reorder_ms=reorder), 0
        for part in cut(events, range(1, 400, 7)):
            stream.push(part)
            seen += len(stream.spikes().time)
            certain = max(0, part.t[-1] - 1000 * reorder) / 1000
            assert stream.report.certain_ms == certain
            assert seen == np.count_nonzero(time < certain)
        assert 0 < seen < len(time)


def test_a_promise_makes_certain_what_is_before_it(network, rng):
    events = recording(rng, last=100_000)
    (time, _), _ = outcome(es.Stream(network), [events])
    stream = es.Stream(network, reorder_ms=50.0)
    stream.push(events)
    between = np.sort(time)[len(time) // 2 + 5]  # a spike, which is not before itself
    for t, certain in ((1.1, 1.1), (between, np.ceil(between * 1000) / 1000), (0.0, None), (1e4, 1e4)):
        before = stream.report.certain_ms
        stream.advance(t)
        assert stream.report.certain_ms == max(before, certain or 0.0)
    assert stream.report.held == 0 and len(stream.spikes().time) == len(time)
    stream.push(arrivals([9_999_999, 10_000_000], [0, 0]))
    assert (stream.report.dropped, stream.report.held) == (1, 1)


def test_scores_count_the_last_while(network, rng):
    events = recording(rng)
    stream = es.Stream(network, score_ms=30.0)
    (time, address), _ = outcome(es.Stream(network), [events])
    for part in cut(events, range(1, 400, 20)):
        stream.push(part)
        at = stream.report.certain_ms
        inside = (time >= at - 30) & (time < at)
        wanted = np.bincount(address[inside], minlength=4)
        scores = stream.scores()
        assert scores.time == at and np.array_equal(scores.counts, wanted)
        assert scores.chosen == np.argmax(wanted)
    assert wanted.sum() > 0
    stream.finish()
    end = (events.t[-1] + 1) / 1000
    assert time[-1] > end  # the last spikes come when the input is over, and its window does not hold them
    inside = (time >= end - 30) & (time < end)
    assert stream.scores().time == end
    assert stream.scores().counts.tolist() == np.bincount(address[inside], minlength=4).tolist()
    assert es.Stream(network).scores().counts.tolist() == [0] * 4


@pytest.mark.parametrize("start", [0, 7 * 10**9])
def test_the_last_window_is_the_sample_that_a_recording_fits_in(network, rng, start):
    """A simulation says the same, however much later the recording begins, and even of the spikes after its end."""
    events = recording(rng, n=100, last=30_000)
    events = es.Events(events.t - events.t[0], events.x, events.y, events.p, SENSOR)
    wanted = network.simulate(events, clock="exact").output
    assert wanted.time[-1] > events.t[-1] / 1000
    stream = es.Stream(network)
    (time, _), report = outcome(stream, cut(es.Events(events.t + start, events.x, events.y, events.p, SENSOR), [50]))
    assert stream.scores().counts.tolist() == wanted.counts()[0].tolist()
    assert stream.scores().time == pytest.approx(start / 1000 + 200, abs=2e-3)
    assert report.certain_ms >= stream.scores().time > time[-1]


@pytest.mark.parametrize("readout", ["mean", "last"])
def test_what_does_not_leak_has_the_last_scores_of_the_simulation(rng, readout):
    """Though its spikes, which hard resets and dead times put off, go on after the sample."""
    network = es.Network("5x2x2-16-4", es.CubaLIF(tau_mem=np.inf, reset="hard", t_abs=9.0), n_ticks=60, seed=2,
                         readout=readout, readout_tau=np.inf)
    events = recording(rng, last=55_000)
    stream = es.Stream(network)
    stream.push(events)
    stream.finish()
    scores, wanted = stream.scores(), network.simulate(events, clock="exact")
    assert (scores.time, scores.chosen) == (60.0, wanted.predict()[0]) and stream.report.certain_ms > 60
    np.testing.assert_allclose(scores.potentials, wanted.scores[0], rtol=0, atol=1e-9)


def test_the_window_of_scores_is_the_sample_by_default(network):
    assert es.Stream(network).score_ms == 200.0
    assert es.Stream(es.Network("5x2x2-4")).score_ms == 300.0


def test_what_is_forgotten_is_what_no_window_holds():
    recent = Recent(10.0, 3)
    for i in range(100):
        recent.add(StreamSpikes(np.array([i, i + 0.5]), np.array([i % 3, 1], np.int32)))
        recent.forget(i + 1.0)
        assert recent.scores(i + 1.0).counts.sum() == min(20, 2 * (i + 1))
        assert len(recent._kept.time) <= 20


def test_days_later_the_spikes_are_the_same_ones(network, rng):
    """After ten days there is no difference to speak of; after 71 years times are whole half microseconds."""
    events = recording(rng)
    (time, address), _ = outcome(es.Stream(network), [events])
    for start, resolution in ((10 * 86_400_000_000, 1e-6), ((1 << 51) - 300_000, 1e-2)):
        later = es.Events(events.t + start, events.x, events.y, events.p, SENSOR)
        (found, same), report = outcome(es.Stream(network), [later])
        assert abs(len(found) - len(time)) <= (0 if resolution < 1e-3 else 3)
        if len(found) == len(time):
            assert np.array_equal(np.bincount(same), np.bincount(address))
            np.testing.assert_allclose(found - start / 1000, time, rtol=0, atol=resolution)
        assert report.certain_ms >= events.t[-1] / 1000 + start / 1000


def test_memory_is_that_of_the_tolerance(network, rng):
    stream = es.Stream(network, reorder_ms=5.0)
    for i in range(200):
        stream.push(es.Events(np.sort(rng.integers(0, 1000, 50)) + 1000 * i, *np.zeros((3, 50), int), SENSOR))
        stream.spikes()
        assert stream.report.held <= 6 * 50
    assert stream.report.processed > 9000
    assert stream._held_t.base is None and len(stream._held_t) <= 300  # no view of something large


def test_the_end_is_the_end(network):
    stream = es.Stream(network)
    stream.push(arrivals([1000] * 8, range(8)))
    assert stream.report.held == 8 and len(stream.spikes().time) == 0
    stream.finish()
    stream.finish()
    assert stream.report.processed == 8 and len(stream.spikes().time) > 0
    for use in (lambda: stream.push(arrivals([2000], [0])), lambda: stream.advance(5)):
        with pytest.raises(ConfigError, match="is finished and takes no more"):
            use()


def test_a_late_event_stops_the_stream_after_those_before_it(network):
    stream = es.Stream(network, reorder_ms=1.0, late="stop")
    stream.push(arrivals([5000, 4000], [1, 1]))
    with pytest.raises(ConfigError, match=r"^an event at 3\.999 ms came when the stream was certain up to 4\.000 ms; "):
        stream.push(arrivals([4500, 3999], [0, 0]))
    assert (stream.report.events, stream.report.reordered, stream.report.certain_ms) == (3, 2, 4.0)
    with pytest.raises(ConfigError, match=r"^an event at 1\.000 ms came when the stream was certain up to 8\.000 ms; "):
        stream.push(arrivals([6000, 9000, 1000, 9500], [0, 0, 1, 0]))
    assert (stream.report.events, stream.report.processed, stream.report.certain_ms) == (5, 4, 8.0)


@pytest.mark.parametrize("start", [10**15, 2 * 10**15])
@pytest.mark.parametrize("tau_syn", [4.0, 4e-4])
def test_no_spike_is_lost_between_layers_where_times_are_coarse(network, start, tau_syn):
    """At a clock's time since 1970 a float64 in ms has whole tenths of microseconds, and windows may be no longer."""
    rng = np.random.default_rng(3)
    coarse = es.Network(network.arch.notation, es.SRM(tau_syn=tau_syn), n_ticks=200, seed=None)
    coarse.layers = network.layers
    events = recording(rng)
    later = es.Events(events.t + start, events.x, events.y, events.p, SENSOR)
    taken = []
    cut_windows = windows.cut

    def watched(sample_ptr, time, *arguments, **options):
        got = cut_windows(sample_ptr, time, *arguments, **options)
        taken.append(len(time) - got.window_event[got.window_base[0] + got.window_count[0]])
        return got

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(windows, "cut", watched)
        _, report = outcome(es.Stream(coarse), cut(later, range(1, 400, 3)))
    assert report.spikes[0] > 20 or tau_syn < 1
    assert not any(taken)
    assert report.first_ms == later.t[0] / 1000


def test_the_shortest_psp_and_the_longest_stream(network):
    """More windows would fit in than an int64 can count."""
    shortest = es.Network(network.arch.notation, es.SRM(tau_syn=1e-9), n_ticks=200, seed=0)
    stream = es.Stream(shortest)
    for t in (0, 10**12, 2**51):
        stream.push(arrivals([t], [0]))
    stream.finish()
    assert stream.report.processed == 3 and stream.report.synops[0] == 3 * 16
    empty = es.Stream(network)
    empty.finish()
    assert empty.report.certain_ms == 0


def test_weights_of_fewer_bits_run_too(network, rng):
    events = recording(rng)
    small = network.with_weights("int8")
    (time, _), _ = outcome(es.Stream(small), [events])
    assert np.array_equal(time[time < 200], small.simulate(events, clock="exact").output.time) and len(time) > 20


@pytest.mark.parametrize(("options", "part"), [
    ({"reorder_ms": -1}, "reorder_ms must be a time in ms, from 0 to 1e"), ({"reorder_ms": "5"}, "got '5'"),
    ({"reorder_ms": np.nan}, "got nan"), ({"late": "ignore"}, "late must be drop or now or stop, got 'ignore'"),
    ({"score_ms": 0}, "score_ms must be a time"), ({"score_ms": True}, "got True"),
])
def test_nonsense_options_are_refused(network, options, part):
    with pytest.raises(ConfigError, match=part):
        es.Stream(network, **options)


def test_other_nonsense_is_refused(network):
    with pytest.raises(ConfigError, match="a stream runs a Network, got str"):
        es.Stream("network")
    mixed = es.Network("5x2x2-4")
    mixed.layers[0] = Sparse.random(N, 4, 3, 1.0, np.random.default_rng(0))
    with pytest.raises(ConfigError, match=r"does not run sparse layers, but sparse1 is Sparse\("):
        es.Stream(mixed)
    stream = es.Stream(network)
    for nonsense in (None, [1, 2], np.zeros(3), "events"):
        with pytest.raises(ConfigError, match="takes Events or Arrivals"):
            stream.push(nonsense)
    with pytest.raises(ConfigError, match="is of a 34x34x2 sensor, the network takes events of a 5x2x2 sensor"):
        stream.push(es.Events([], [], [], [], es.Sensor(34, 34)))
    with pytest.raises(ConfigError, match="must not lie beyond"):
        stream.push(arrivals([(1 << 51) + 1], [0]))
    for t in (-1, "soon", None, np.inf, 1e13):
        with pytest.raises(ConfigError, match="t_ms must be a time"):
            stream.advance(t)
    assert stream.report.events == 0

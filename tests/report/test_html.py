"""The page of a profile, as text: what is in it, and what must not be."""

import base64
import html
import itertools
import json
import re

import numpy as np
import pytest

from eventsim.report.html import charts, svg, write
from eventsim.report.html.page import page as whole
from eventsim.report.html.svg import round_ticks
from eventsim.report.sampling import some_of
from eventsim.spikes import Spikes

from .pages import TICKS, subject

MOST_BYTES = 3_000_000


def played(text):
    """Frames of a page, as events by frame: {(x, y, p): count}."""
    data = json.loads(html.unescape(re.search(r'data-frames="([^"]*)"', text)[1]))
    cell = np.frombuffer(base64.b64decode(data["cell"]), "<u2").astype(int)
    count = np.frombuffer(base64.b64decode(data["count"]), "u1")
    ptr = data["frame_ptr"]
    out = []
    for a, b in itertools.pairwise(ptr):
        y, x = np.divmod(cell[a:b] // 2, data["width"])
        out.append(dict(zip(zip(x.tolist(), y.tolist(), (cell[a:b] % 2).tolist(), strict=True), count[a:b].tolist(),
                            strict=True)))
    return data, out


@pytest.mark.parametrize("clock", ["grid", "exact"])
def test_a_page_shows_every_layer_and_nothing_from_elsewhere(clock):
    one = subject(clock=clock)
    text = whole(one)
    assert len(text) < MOST_BYTES and text == whole(one)
    for word in ("dense1", "dense2", "sample.bin", "Effective_ACs", "doi:10.1109", "are left out", "Golomb"):
        assert word in text
    assert not re.search(r"https?://(?!www\.w3\.org)|\bsrc=|\bhref=|@import|url\(", text)
    assert text.count("<svg") == 4 + 2 + 2 + 2 + 2 + 2  # by layer, time, outputs and input, rasters, spikes, intervals


def test_frames_hold_every_event_once():
    one = subject()
    data, frames = played(whole(one))
    assert (data["width"], data["height"], data["pool"], len(frames)) == (12, 9, 1, TICKS)
    wanted = [{} for _ in frames]
    for t, x, y, p in zip(*(column.tolist() for column in (one.events.t, one.events.x, one.events.y, one.events.p)),
                          strict=True):
        frame = wanted[t // 1000]
        frame[x, y, p] = frame.get((x, y, p), 0) + 1
    assert frames == wanted and sum(map(len, frames)) > 500


def test_large_sensors_are_pooled_and_the_page_stays_small():
    one = subject("640x480x2-10", n=300_000)
    data, frames = played(whole(one))
    assert data["pool"] >= 5 and sum(sum(frame.values()) for frame in frames) >= 0.95 * 300_000
    assert len(whole(one)) < MOST_BYTES


def test_a_raster_has_a_mark_for_every_spike_of_the_neurons_it_shows():
    one = subject("12x9x2-500-10", n=120)
    spikes = one.trace.layers[0].spikes
    chosen = some_of(500, 160)
    path = re.findall(r'class="mark c0 d0" d="([^"]*)"', whole(one))[0]
    assert path.count("M") == np.isin(spikes.address, chosen).sum() > 50
    assert "160 of 500 neurons" in whole(one)


def test_two_stand_side_by_side():
    text = whole(subject(name="left"), subject("12x9x2-30-20-10", name="right", seed=1))
    assert text.count('class="tag tagA"') > 10 and text.count('class="tag tagB"') > 10
    assert text.count('class="gap"') == 3  # the left one has no third layer
    assert "dense3" in text and 'class="two"' in text


def test_names_are_escaped():
    text = whole(subject(name="<script>alert(1)</script>"))
    assert "<script>alert" not in text and "&lt;script&gt;alert" in text


def test_a_silent_network_has_a_page():
    text = whole(subject(silent=True))
    assert "nothing to show" in text and "nan" not in text.lower().replace("isnan", "")


def test_it_is_written_whole(tmp_path):
    one = subject()
    write(tmp_path / "report.html", one)
    assert (tmp_path / "report.html").read_text() == whole(one)
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


@pytest.mark.parametrize("high, ticks", [(300, [0, 100, 200, 300]), (0.011, [0, 0.005, 0.01]), (0, [0]),
                                         (7, [0, 2, 4, 6]), (1e-9, [0, 5e-10, 1e-9])])
def test_ticks_are_round(high, ticks):
    assert round_ticks(high) == pytest.approx(ticks)


def bars_of(chart):
    """(title, left, right) of the bars of a chart, in its units."""
    found = re.findall(r'<rect class="[^"]*" x="([\d.]+)" y="[\d.]+" width="([\d.]+)" height="[\d.]+"><title>([^<]*)',
                       chart)
    return [(title, float(x), float(x) + float(width)) for x, width, title in found]


def test_bars_stand_where_their_titles_say():
    one = subject("12x9x2-500-10")
    chart = charts.spikes_a_neuron(one.profile.populations[1], "c0", "x")
    at = dict(re.findall(r'<text x="([\d.]+)" y="186" text-anchor="middle" class="tick">([^<]*)', chart))
    scale = [(float(x), float(value)) for x, value in at.items()]
    (x0, v0), (x1, v1) = scale[0], scale[-1]
    none, *bars = bars_of(chart)
    assert none[0].startswith("no spike") and none[2] < x0 + 1 and v0 == 0 and len(bars) == 31
    for title, left, right in bars:
        low, high = (float(part) for part in re.match(r"([\d.e+-]+) to ([\d.e+-]+) spikes", title).groups())
        assert left == pytest.approx(x0 + (low - v0) * (x1 - x0) / (v1 - v0), abs=1.5)
        assert right == pytest.approx(x0 + (high - v0) * (x1 - x0) / (v1 - v0), abs=1.5)


def test_a_raster_of_very_many_spikes_stays_small():
    rng, n = np.random.default_rng(0), 400_000
    tick = np.sort(rng.integers(0, 100_000, n))
    spikes = Spikes([0, n], rng.integers(0, 64, n), tick=tick, n_neurons=64, n_ticks=100_000, check=False)
    chart = charts.raster(spikes, "c0", "x")
    assert len(chart) < 200_000
    sparse = Spikes([0, 9], np.arange(9), tick=np.arange(9), n_neurons=9, n_ticks=20)
    assert charts.raster(sparse, "c0", "x").count("M") == 9 + 2 + len(round_ticks(20)) + len(round_ticks(9)) - 1


def test_dashes_cover_every_spike():
    rng = np.random.default_rng(1)
    x, y = rng.uniform(0, 300, 9000), rng.integers(0, 40, 9000)
    axes = svg.Axes(300, 40, "ms", "neuron")
    found = re.findall(r"M([\d.]+) ([\d.]+)h([\d.]+)", svg.dashes(axes, x, y, "c0"))
    left, row, length = np.array(found, float).T
    for a, b in zip(axes.x(x[:500]), axes.y(y[:500] + 0.5), strict=True):
        here = np.abs(row - b) < 0.1
        assert np.any((left[here] <= a + 1e-9) & (a < left[here] + length[here] + 1e-9))


def test_many_outputs_and_classes_are_not_left_out_silently():
    text = whole(subject("12x9x2-30-100"))
    assert "the 12 of 100 with most" in text

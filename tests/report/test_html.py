"""The page of a profile, as text: what is in it, and what must not be."""

import base64
import html
import itertools
import json
import re

import numpy as np
import pytest

from eventsim.report.html import write
from eventsim.report.html.page import page as whole
from eventsim.report.html.svg import round_ticks
from eventsim.report.sampling import some_of

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
    one = subject("12x9x2-500-10")
    spikes = one.trace.layers[0].spikes
    chosen = some_of(500, 160)
    path = re.findall(r'class="mark c0" d="([^"]*)"', whole(one))[0]
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

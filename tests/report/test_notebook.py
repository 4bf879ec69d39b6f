"""What shows itself in a notebook: what it says, that it is escaped, small and quick, and that pictures are right."""

import base64
import html.parser
import re
import time
import zlib

import numpy as np
import pytest

import eventsim as es
from eventsim.data import Dataset
from eventsim.engine import run
from eventsim.report.notebook import pictures
from eventsim.report.notebook.markup import Markup, fragment, text
from eventsim.report.tables import plain_table
from eventsim.trainer.loop import make_loader

MOST, MOST_PICTURE = 50_000, 20_000


class Reader(html.parser.HTMLParser):
    """The tags and the text of a page; every tag that is opened is closed."""

    def __init__(self, page):
        super().__init__()
        self.open, self.tags, self.texts = [], [], []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag != "img":
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


def read(thing):
    """What a thing shows, as a `Reader`, after looking at what holds of all of them."""
    page = thing._repr_html_()
    assert page == thing._repr_html_() and len(page) < MOST
    reader = Reader(page)
    assert not {tag for tag, _ in reader.tags} & {"script", "style", "link"}
    styles = " ".join(attributes.get("style", "") for _, attributes in reader.tags)
    assert not re.search(r"(?<![-\w])color:", styles)  # text has the page's
    for address in re.findall(r'(?:src|href)="([^"]*)"', page):
        assert address.startswith("data:image/png;base64,") and len(address) < MOST_PICTURE
    reader.said = " ".join(" ".join(reader.texts).split())
    return reader


def cells_of(reader):
    """The numbers of colours in the first image, uint8[h, w]."""
    source = next(attributes["src"] for tag, attributes in reader.tags if tag == "img")
    data = base64.b64decode(source.partition(",")[2])
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, at = {}, 8
    while at < len(data):
        n = int.from_bytes(data[at : at + 4], "big")
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + n]
        assert int.from_bytes(data[at + 8 + n : at + 12 + n], "big") == zlib.crc32(kind + body)
        chunks[kind], at = body, at + 12 + n
    width, height = (int.from_bytes(chunks[b"IHDR"][i : i + 4], "big") for i in (0, 4))
    lines = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(height, width + 1)
    assert not lines[:, 0].any() and lines.max() < len(chunks[b"PLTE"]) / 3 == len(chunks[b"tRNS"])
    return lines[:, 1:]


def noise(n, sensor, seed=0):
    rng = np.random.default_rng(seed)
    return es.Events(np.sort(rng.integers(0, 10**6, n)), rng.integers(0, sensor.width, n),
                     rng.integers(0, sensor.height, n), rng.integers(0, sensor.polarities, n), sensor)


class Noise(Dataset):
    """Noise of two classes on a small sensor."""

    def __init__(self, n):
        super().__init__(name="noise", sensor=es.Sensor(6, 6, 1), n_classes=2, labels=np.arange(n) % 2, duration=30.0)

    def sample_name(self, i):
        """A name for messages."""
        return f"noise {i}"

    def events(self, i):
        """80 events."""
        return es.Events(np.sort(np.random.default_rng(i).integers(0, 30_000, 80)),
                         np.random.default_rng(i).integers(0, 6, 80), np.full(80, 3 * self.labels[i]),
                         np.zeros(80, int), self.sensor)


class TestEvents:
    def test_figures(self):
        events = es.Events([1000, 2000, 2500, 501_000], [0, 1, 1, 3], [0, 0, 2, 3], [1, 1, 0, 1], es.Sensor(12, 10),
                           skipped={"<other> & \"stream\"": 1200})
        said = read(events).said
        for part in ("Events 4", "12x10x2", "1.000 to 501.000 ms, 500 ms", "8 events a second", "75.0 % ON, 25.0 % OFF",
                     "1,200 <other> & \"stream\""):
            assert part in said
        assert "&lt;other&gt; &amp; &quot;stream&quot;" in events._repr_html_() and "drawn from" not in said

    def test_the_picture_has_every_pixel_in_its_colour(self):
        events = es.Events([0, 1, 2, 3, 4, 5], [0, 5, 9, 9, 2, 2], [0, 0, 9, 9, 3, 3], [1, 0, 1, 0, 1, 1],
                           es.Sensor(10, 10))
        cells = cells_of(read(events))
        wanted = np.zeros((10, 10), int)
        wanted[0, 0], wanted[0, 5], wanted[9, 9], wanted[3, 2] = 1, 2, 3, 1  # hue, from 1
        assert np.array_equal(np.ceil(cells / 5).astype(int), wanted)
        assert cells[3, 2] > cells[0, 0]  # more events are less transparent

    def test_large_sensors_are_pooled(self):
        events = noise(50_000, es.Sensor(1280, 720))
        assert cells_of(read(events)).shape == (72, 128)
        assert cells_of(read(noise(5, es.Sensor(65536, 16383)))).shape == (32, 128)

    def test_a_sensor_of_one_line_is_shown_over_time(self):
        t = np.arange(0, 100_000, 100)
        events = es.Events(t, t // 1000, np.zeros(1000, int), np.zeros(1000, int), es.Sensor(100, 1, 1))
        reader = read(events)
        cells = cells_of(reader)
        assert cells.shape == (50, 120) and "ON" not in reader.said
        row = [np.flatnonzero(column).mean() for column in cells.T]
        assert np.all(np.diff(row) >= 0) and row[0] < 1 and row[-1] > 48

    @pytest.mark.parametrize("polarities", [1, 2, 5])
    def test_polarities(self, polarities):
        said = read(noise(100, es.Sensor(20, 20, polarities))).said
        assert ("% ON" in said) == (polarities == 2)

    def test_none_one_and_out_of_order(self):
        none = read(es.Events([], [], [], [], es.Sensor(20, 20)))
        assert "flex" not in es.Events([], [], [], [], es.Sensor(20, 20))._repr_html_()
        assert "Events none Sensor 20x20x2" in none.said and "img" not in dict(none.tags)
        assert "a second" not in read(es.Events([5], [1], [1], [1], es.Sensor(20, 20))).said
        late = read(es.Arrivals([5000, -1000], [1, 2], [1, 1], [0, 1], es.Sensor(20, 20)))
        assert late.said.startswith("Arrivals") and "-1.000 to 5.000 ms" in late.said

    def test_the_largest_picture_is_small(self):
        read(noise(200_000, es.Sensor(128, 128)))

    def test_ten_million_are_shown_in_a_fifth_of_a_second(self):
        n = 10_000_000
        i = np.arange(n)
        events = es.Events(i * 6, i % 1280, i // 7 % 720, i // 3 % 2, es.Sensor(1280, 720))
        times = []
        for _ in range(4):
            started = time.perf_counter()
            page = events._repr_html_()
            times.append(time.perf_counter() - started)
        assert min(times) < 0.2 and "drawn from 300,000 of 10,000,000 events" in page
        assert "167 k events a second" in page and "at most 16" in page  # the curve is of all of them


def test_what_is_drawn_is_even_and_the_same_every_time():
    chosen = pictures.sampled(3_000_000, 1000)
    assert np.array_equal(chosen, pictures.sampled(3_000_000, 1000))
    assert np.array_equal(chosen // 3000, np.arange(1000))
    assert pictures.sampled(1000, 1000) == slice(None)


class TestSpikes:
    def spikes(self, **kind):
        kind = kind or {"tick": [0, 3, 3, 9]}
        return es.Spikes([0, 0, 4], [2, 0, 5, 4], **kind, n_neurons=8, n_ticks=10, dt=2.0)

    def test_figures(self):
        said = read(self.spikes()).said
        for part in ("4 in 2 samples", "Neurons 8", "10 ticks of 2 ms, 20 ms", "0.25 spikes a neuron and sample",
                     "12.5 Hz", "50.0 % of the neurons", "sample 1 of 2"):
            assert part in said

    @pytest.mark.parametrize("kind", [{}, {"time": [0.5, 6.5, 7.0, 19.9]}], ids=["grid", "exact"])
    def test_the_raster(self, kind):
        reader = read(self.spikes(**kind))
        cells = cells_of(reader)
        assert cells.shape == (8, 120) and sorted(np.flatnonzero(cells.any(axis=1))) == [0, 2, 4, 5]
        assert ("exact, 20 ms" in reader.said) == bool(kind)
        columns = [int(np.flatnonzero(cells[i])[0]) for i in (2, 0, 5, 4)]
        assert columns == ([0, 36, 36, 108] if not kind else [3, 39, 42, 119])

    @pytest.mark.parametrize("spikes", [
        es.Spikes([0, 0], [], tick=[], n_neurons=4, n_ticks=5), es.Spikes([0], [], tick=[], n_neurons=4, n_ticks=5),
        es.Spikes([0, 0, 0], [], time=[], n_neurons=2**31 - 1, n_ticks=0),
    ], ids=["silent", "no samples", "no time"])
    def test_none(self, spikes):
        reader = read(spikes)
        assert "Spikes 0 in" in reader.said and ("Silent" in reader.said) == (spikes.n_samples == 1)
        assert "flex" not in spikes._repr_html_()

    def test_many_spikes_are_readable(self):
        n = 20_000
        spikes = es.Spikes([0, n], np.zeros(n, int), tick=np.arange(n), n_neurons=2, n_ticks=n)
        said = read(spikes).said
        assert "20,000 in 1 sample" in said and "10,000 spikes a neuron and sample, 500 Hz" in said

    def test_many(self):
        n, rng = 2_000_000, np.random.default_rng(0)
        tick = np.sort(rng.integers(0, 1000, n)).astype(np.int32)
        spikes = es.Spikes([0, n], rng.integers(0, 5000, n), tick=tick, n_neurons=5000, n_ticks=1000, check=False)
        started = time.perf_counter()
        assert "drawn from 300,000 of 2,000,000 spikes" in read(spikes).said
        assert time.perf_counter() - started < 1


class TestNetwork:
    def test_layers_neuron_and_clock(self):
        reader = read(es.Network("34x34x2-500-10", es.SRM(theta=7.5), clock="exact", seed=None))
        for part in ("34x34x2-500-10", "34x34x2 sensor, 2,312 addresses", "threshold 7.5", "Clock exact",
                     "dense1 500 2,312 1,156,000", "dense2 10 500 5,000", "all 510"):
            assert part in reader.said

    def test_shapes(self):
        said = read(es.Network("34x34x2-8c5s2-2p-bn-10", seed=None)).said
        assert "conv1 - 15x15x8" in said and "2p bn" in said

    def test_samples_and_input(self):
        said = read(es.Network("4x4x1-3", seed=None)).said
        assert "a sample is as long as the recording, counted as 300 ticks of 1 ms" in said and "grid, input or" in said
        said = read(es.Network("4x4x1-3", seed=None, n_ticks=50, input_mode="count")).said
        assert "a sample is 50 ticks of 1 ms" in said and "input count" in said

    def test_weights_in_fewer_bits(self):
        assert "Weights int8, for inference" in read(es.Network("8x8x1-4").with_weights("int8")).said

    def test_of_very_many_layers_the_first_and_the_totals_are_shown(self):
        said = read(es.Network("4x4x1-" + "-".join(["3"] * 300), seed=None)).said
        assert "dense39 3" in said and "dense41 " not in said and "261 more" in said and "all 900" in said


class TestTrace:
    @pytest.fixture
    def network(self):
        return es.Network("6x6x1-12-2", seed=3, n_ticks=30)

    @pytest.mark.parametrize("clock", ["grid", "exact"])
    def test_of_a_recording(self, network, clock):
        trace = network.simulate(Noise(2).events(1), clock=clock)
        said = read(trace).said
        assert f"Class {trace.predict()[0]}" in said and "dense1 12" in said and "dense2 2" in said
        assert "SynOps are" in said and "all 14" in said

    def test_of_a_batch_has_means(self, network):
        spikes, _, _ = next(iter(make_loader(network, Noise(8), 8)))
        trace = run(network, spikes)
        said = read(trace).said
        layer = trace.layers[0].spikes
        assert "8 samples; of each class" in said and f"{len(layer) / 8 / 12:.2f}" in said
        assert f"{len(layer) / 8 / 12 / 0.03:.1f}" in said
        assert "no samples" in read(type(trace)(es.Spikes([0], [], tick=[], n_neurons=36, n_ticks=30), [])).said


class TestTrainer:
    @pytest.fixture
    def trainer(self, tmp_path):
        return es.Trainer(es.Network("6x6x1-12-2", seed=3), epochs=3, rate_high=5.0, out=tmp_path / "<run> & more")

    def test_before_and_after(self, trainer):
        before = read(trainer)
        for part in ("Trainer", "<run> & more", "6x6x1-12-2", "epochs 0 of 3 done", "adam 0.001 cosine",
                     "at most 5 spikes"):
            assert part in before.said
        assert "loss" not in before.said and "svg" not in dict(before.tags) and "flex" not in trainer._repr_html_()
        assert "grid, as long as the recording, ticks of 1 ms, input or" in before.said
        trainer.fit(Noise(16))
        after = read(trainer)
        assert "epochs 3 of 3 done" in after.said and "Gains" in after.said and "loss train val" in after.said
        assert [tag for tag, _ in after.tags].count("polyline") == 1 and "accuracy by epoch" in after.said

    def test_a_long_history_is_thinned(self, trainer):
        one = {"loss": 1.0, "accuracy": 0.25, "val_accuracy": 0.75, "seconds": 1.0, "rates": [1.0, 2.0],
               "warnings": [{"kind": "silent", "layer": "dense1", "text": "<i>silent</i>", "cure": "do & do"}]}
        trainer.history[:] = [{"epoch": i + 1} | one for i in range(400)]
        reader = read(trainer)
        assert "12 of 400 epochs" in reader.said and "400 1.00 0.2500 0.7500" in reader.said
        assert "Warning <i>silent</i>; do & do" in reader.said and ("i", {}) not in reader.tags
        assert "train validation" in " ".join(reader.said.split())


def test_without_a_run_folder_or_validation():
    trainer = es.Trainer(es.Network("6x6x1-2"))
    assert "it has no run folder" in read(trainer).said


class TestMarkup:
    def test_everything_is_escaped_but_markup(self):
        nasty = "<script>alert('&')</script>"
        page = fragment(nasty, nasty, [(nasty, nasty)], plain_table((nasty, "b"), [(nasty, nasty)]), Markup("<b>x</b>"),
                        beside=[pictures.caption(nasty), pictures.legend(**{nasty: pictures.ON})])
        assert "<script" not in page and page.count("&lt;script&gt;") == 9 and "<b>x</b>" in page
        Reader(page)

    def test_long_text_is_cut(self):
        assert text("x" * 1000) == "x" * 399 + "…" and text("x" * 400) == "x" * 400
        assert text("&" * 400) == "&amp;" * 400


def test_networks_whose_potentials_are_read():
    data = Noise(6)
    network = es.Network("6x6x1-12-2", seed=1, readout="max")
    assert "Read-out LI, tau_mem 20 ms, read by its maximum" in read(network).said
    trainer = es.Trainer(network, epochs=1)
    trainer.fit(data)
    assert "cross_entropy" in read(trainer).said and "Read-out LI" in read(trainer).said
    one = network.simulate(data.events(0))
    said = read(one).said
    assert f"Class {one.predict()[0]}" in said and "max" in said and "at ms" in said and "fired" not in said
    batch = run(network, next(iter(make_loader(network, data, 6)))[0])
    assert "6 samples; of each class:" in read(batch).said

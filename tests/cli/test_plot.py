"""`eventsim plot`: the pictures of the library, as files."""

import sys

import h5py
import matplotlib.image
import numpy as np
import pytest

import eventsim
from eventsim import plot
from eventsim.plot import canvas

PNG = b"\x89PNG"


@pytest.fixture
def figures(monkeypatch):
    """The figures that were written, which are then not drawn: their names stand for them."""
    kept = []

    def save(figure, path):
        kept.append(figure)
        path.write_bytes(PNG)

    monkeypatch.setattr(canvas, "save", save)
    return kept


def curve_data(axis):
    return [line.get_ydata() for line in axis.lines]


def test_frames(call, recording, here):
    done = call("plot", "frames", recording, "frames.png", "--frames", 4, "--json")
    assert done == {"out": "frames.png", "picture": "frames", "file": str(recording), "frames": 4,
                    "events": len(eventsim.read(recording))}
    image = matplotlib.image.imread(here / "frames.png")
    assert min(image.shape[:2]) > 400 and image[..., :3].std() > 0.01


def test_frames_of_a_part(call, recording, figures):
    done = call("plot", "frames", recording, "frames.svg", "--frames", 2, "--span", "50:150", "--json")
    events = eventsim.read(recording)
    assert done["events"] == ((events.t >= 50_000) & (events.t < 150_000)).sum()
    want = plot.frames(events, n=2, span=(50, 150))
    assert [axis.get_title() for axis in figures[0].axes] == ["50–100 ms", "100–150 ms"]
    for ours, theirs in zip(figures[0].axes, want.axes, strict=True):
        np.testing.assert_array_equal(ours.images[0].get_array(), theirs.images[0].get_array())


def test_raster_of_a_recording_and_of_its_spikes(call, run, recording, figures):
    done = call("plot", "raster", recording, "a.png", "--json")
    trace = eventsim.load(run).simulate(eventsim.read(recording))
    assert done["model"] == str(run)
    assert done["layers"] == [
        {"name": name, "neurons": spikes.n_neurons, "spikes": len(spikes)}
        for name, spikes in (("input", trace.input), *((layer.name, layer.spikes) for layer in trace.layers))]
    part = call("plot", "raster", recording, "p.png", "--span", "50:150", "--json")
    inside = (trace.input.times >= 50) & (trace.input.times < 150)
    assert part["layers"][0]["spikes"] == inside.sum() < len(inside)
    call("simulate", recording, "--out", "spikes.h5")
    again = call("plot", "raster", "spikes.h5", "b.png", "--json")
    assert again["layers"] == done["layers"] and again["file"] == "spikes.h5"
    for ours, theirs in zip(figures[0].axes, figures[2].axes, strict=True):
        np.testing.assert_array_equal(ours.collections[0].get_offsets(), theirs.collections[0].get_offsets())
        assert ours.get_title("right") == theirs.get_title("right")


@pytest.mark.parametrize("clock", ["grid", "exact"])
def test_membrane(call, run, recording, figures, clock):
    options = ("--layer", "dense1", "--neurons", "3, 12", "--clock", clock, "--span", "20:60")
    done = call("plot", "membrane", recording, "fig1.pdf", *options, "--json")
    assert (done["layer"], done["neurons"]) == ("dense1", [3, 12])
    network = eventsim.load(run)
    trace = network.simulate(eventsim.read(recording), clock=clock)
    want = plot.membrane(network, trace, "dense1", [3, 12], span=(20, 60))
    for ours, theirs in zip(figures[0].axes, want.axes, strict=True):
        assert ours.get_ylabel() == theirs.get_ylabel() and ours.get_xlim() == (20, 60)
        for a, b in zip(curve_data(ours), curve_data(theirs), strict=True):
            np.testing.assert_array_equal(a, b)


def test_membranes_of_the_busiest_neurons(call, run, recording, figures):
    text = call("plot", "membrane", recording, "m.png")
    trace = eventsim.load(run).simulate(eventsim.read(recording))
    busy = plot.busiest(trace, "dense2")
    assert text == f"m.png: neurons {', '.join(map(str, busy))} of dense2\n"


def test_weights(call, run, figures):
    done = call("plot", "weights", run, "w.png", "--layer", "dense1", "--neurons", "5", "--json")
    assert (done["layer"], done["neurons"]) == ("dense1", [5])
    fields = figures[0].axes[1].images
    want = eventsim.load(run).layers[0].weight[:, 5].reshape(2, 34, 34)
    np.testing.assert_array_equal([image.get_array() for image in fields], want)
    assert call("plot", "weights", "nmnist", "all.png") == "all.png: weights of all layers\n"
    assert len(figures[1].axes) == 4


def test_curves_of_several_runs(call, run, figures):
    (run.parent / "other").symlink_to("trained")
    done = call("plot", "curves", run, "runs/other", "c.png", "--json")
    assert done["epochs"] == {str(run): 2, "runs/other": 2}
    assert len(figures[0].axes[0].lines) == 4
    assert [text.get_text() for text in figures[0].legends[1].get_texts()] == [str(run), "runs/other"]


def test_models_of_neurons(call, refuse, here, figures):
    done = call("plot", "neurons", "n.png", "--current", 8, "--json")
    assert done["current"] == 8 and len(done["spikes"]) == 7 and len(figures[0].axes) == 16
    assert call("plot", "neurons", "m.png") == "m.png: 7 models of a neuron\n"
    assert "current must be a number of at least 0 and below 100, got 300" in refuse(
        "plot", "neurons", "o.png", "--current", 300)
    assert not (here / "o.png").exists()


def test_what_is_there_is_replaced_with_force_only(call, refuse, recording, here):
    (here / "f.png").write_text("mine")
    assert "f.png: exists already" in refuse("plot", "frames", recording, "f.png")
    assert (here / "f.png").read_text() == "mine"
    call("plot", "frames", recording, "f.png", "--force", "--frames", 1)
    assert (here / "f.png").read_bytes().startswith(PNG)


def test_reads_standard_input(call, recording, figures):
    done = call("plot", "frames", "-", "f.png", "--codec", "nmnist", "--json", stdin=recording.read_bytes())
    assert done["events"] == len(eventsim.read(recording))


def test_the_group_by_itself_is_its_help(call):
    assert call("plot") == call("plot", "--help")


def test_without_matplotlib(refuse, recording, here, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert 'pip install "eventsim[plot]"' in refuse("plot", "frames", recording, "f.png")
    assert 'pip install "eventsim[plot]"' in refuse("bench", "--growth", "--plot", "f.png")
    assert list(here.iterdir()) == []


def test_damaged_spikes(refuse, call, run, recording, here):
    call("simulate", recording, "--out", "spikes.h5")
    with h5py.File("spikes.h5", "r+") as file:
        del file["dense1/address"]
        file["dense1/address"] = np.full(file["dense1/tick"].shape, 16)
    assert "spikes.h5: is damaged (spike addresses must lie in 0..15" in refuse("plot", "raster", "spikes.h5", "r.png")
    with h5py.File("spikes.h5", "r+") as file:
        del file["dense1"].attrs["index"]
    assert "spikes.h5: is damaged" in refuse("plot", "raster", "spikes.h5", "r.png")
    assert not (here / "r.png").exists()


@pytest.mark.parametrize("command", [
    ("plot", "raster", "R"), ("plot", "membrane", "R"), ("plot", "weights", "nmnist"),
    ("plot", "curves", "runs/trained"), ("bench", "--growth", "--plot"),
])
def test_where_a_picture_cannot_go_is_said_before_the_work(refuse, run, recording, here, monkeypatch, command):
    def works(*_, **__):
        raise AssertionError("worked already")

    for name in ("recordings.run_recording", "models.find_model", "models.locate_model", "output.busy"):
        monkeypatch.setattr(f"eventsim.cli.{name}", works)
    monkeypatch.setattr("eventsim.cli.plot.busy", works)
    command = [recording if word == "R" else word for word in command]
    assert "nodir/x.png: cannot be written (No such file" in refuse(*command, "nodir/x.png")
    (here / "file").touch()
    assert "file/x.png: cannot be written (Not a directory" in refuse(*command, "file/x.png")
    (here / "folder.png").mkdir()
    assert "folder.png: exists already" in refuse(*command, "folder.png")
    assert "folder.png: cannot be written (Is a directory" in refuse(*command, "folder.png", "--force")


def test_one_of_a_kind(call, recording, figures):
    one = eventsim.read(recording)[:1]
    eventsim.write("one.bin", one)
    assert call("plot", "frames", "one.bin", "f.png") == "f.png: 1 frame, 1 event\n"


@pytest.mark.parametrize(("arguments", "part"), [
    (("frames", "R", "f.gif"), "ends in .png, .svg, .pdf"),
    (("frames", "R", "f.png", "--span", "5000:6000"), "all events of the recording are before it"),
    (("raster", "R", "r.png", "--span", "5000:6000"), "span 5000 to 6000 ms holds nothing"),
    (("membrane", "R", "m.png", "--span", "5000:6000"), "span 5000 to 6000 ms holds nothing"),
    (("membrane", "R", "m.png", "--neurons", "1,1"), "must differ, got 1 more than once"),
    (("frames", "R", "f.png", "--span", "5"), "is no span of time"),
    (("frames", "R", "f.png", "--span", "9:5"), "write its first and last ms"),
    (("frames", "R", "nowhere/f.png"), "cannot be written"),
    (("frames", "nowhere.bin", "f.png"), "nowhere.bin: no such file"),
    (("raster", "R", "r.png", "--model", "nowhere"), "nowhere: no such file"),
    (("membrane", "R", "m.png", "--layer", "conv1"), "layer must be dense1 or dense2, got 'conv1'"),
    (("membrane", "R", "m.png", "--neurons", "10"), "neurons of dense2 must lie in 0..9"),
    (("membrane", "R", "m.png", "--neurons", "a"), "is no list of neurons"),
    (("membrane", "R", "m.png", "--neurons", "0,1,2,3,4,5,6,7,8,9,0,1,2"), "must be 1 to 12, got 13"),
    (("weights", "runs/trained", "w.png", "--neurons", "1"), "--neurons are those of a layer"),
    (("weights", "runs/trained", "w.png", "--layer", "dense2", "--neurons", "1"), "has no images of single neurons"),
    (("curves", "nmnist", "c.png"), "nmnist: says nothing of its training"),
    (("curves", "c.png"), "Missing argument"),
    (("nonsense",), "No such command 'nonsense'"),
])
def test_nonsense(refuse, run, recording, here, arguments, part):
    assert part in refuse("plot", *(recording if word == "R" else word for word in arguments))
    assert [path.name for path in here.iterdir()] == ["runs"]


def test_a_file_of_spikes_has_no_model(refuse, call, run, recording):
    call("simulate", recording, "--out", "spikes.h5")
    message = refuse("plot", "raster", "spikes.h5", "r.png", "--model", run)
    assert message == "--model is for a recording; leave it out for a file of spikes"

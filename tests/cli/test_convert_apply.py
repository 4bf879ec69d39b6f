"""`eventsim convert --apply`: transforms by their names and parameters."""

import click
import pytest

import eventsim
from eventsim.cli import main
from eventsim.data import TRANSFORMS, open_dataset
from eventsim.data.conversion import partial_of


def test_a_recording_is_transformed_in_order(call, recording):
    steps = ("--apply", "denoise:window=5", "--apply", "crop:x=2,y=4,width=20,height=28",
             "--apply", "drop_events:probability=0.1,seed=3", "--apply", "flip:axis=x")
    done = call("convert", recording, "a.h5", *steps, "--json")
    events = TRANSFORMS["denoise"](eventsim.read(recording), window=5)
    events = TRANSFORMS["drop_events"](TRANSFORMS["crop"](events, 2, 4, 20, 28), probability=0.1, seed=3)
    events = TRANSFORMS["flip"](events, "x")
    assert eventsim.read("a.h5") == events and str(events.sensor) == "20x28x2"
    assert done["skipped"] == events.skipped and set(done["skipped"]) >= {"denoise", "drop_events"}
    assert done["events"] + sum(done["skipped"].values()) == 400
    assert eventsim.read("a.h5").skipped == events.skipped
    text = call("convert", recording, "b.h5", *steps)
    assert text == f"b.h5: 1 recording, {len(events)} events; left out: " + ", ".join(
        f"{n} by {name}" for name, n in events.skipped.items()) + "\n"


def test_a_large_recording_is_written_in_parts(call, here, monkeypatch):
    monkeypatch.setattr("eventsim.data.applied.EVENTS_BLOCK", 7)
    (here / "a.csv").write_text("".join(f"{i},0,0,1\n" for i in range(100)))
    call("convert", "a.csv", "b.csv", "--apply", "time_window:start=0.01,stop=0.06,from_start=false")
    assert eventsim.read("b.csv").t.tolist() == list(range(10, 60))


def test_chance_differs_from_recording_to_recording(call, recording):
    call("convert", recording, "one.h5")
    drop = ("--apply", "drop_events:probability=0.5,seed=1")
    call("convert", "--to", "csv", recording, "one.h5", "texts", *drop)
    call("convert", recording, "one.h5", "both.h5", *drop)
    apart = [eventsim.read(path, sensor=eventsim.Sensor(34, 34)) for path in ("texts/00001.csv", "texts/one.csv")]
    assert apart[0] == TRANSFORMS["drop_events"](eventsim.read(recording), 0.5, 1) and apart[0] != apart[1]
    call("convert", "--to", "es", "both.h5", "again")
    assert [eventsim.read(path) for path in ("again/00001.es", "again/one.es")] == apart


def test_recordings_of_a_store_are_transformed(call, recording):
    call("convert", recording, "one.h5")
    call("convert", recording, "one.h5", "both.h5")
    done = call("convert", "--to", "nmnist", "both.h5", "apart", "--apply", "pool:factor=2", "--json")
    assert (done["recordings"], done["events"]) == (2, 800)
    assert eventsim.read("apart/one.bin").x.max() < 17


def test_a_data_set_is_transformed(call, tree):
    steps = ("--apply", "crop:x=0,y=0,width=17,height=34", "--apply", "drop_events:probability=0.3,seed=2")
    done = call("convert", tree, "all.h5", *steps, "--json")
    made, source = open_dataset("all.h5"), open_dataset(tree)
    assert str(made.train.sensor) == "17x34x2" and len(made.train) == len(source.train) == 60
    first = TRANSFORMS["crop"](source.train.events(0), 0, 0, 17, 34)
    assert made.train.events(0) == TRANSFORMS["drop_events"](first, 0.3, 2)
    assert done["recordings"] == 80 and done["events"] + sum(done["skipped"].values()) == 80 * 400
    assert done["empty"] == sum(not len(made.train.events(i)) for i in range(60)) + sum(
        not len(made.validation.events(i)) for i in range(20)) > 0
    assert "crop:x=0,y=0,width=17,height=34 drop_events:probability=0.3,seed=2" in made.note
    assert f"80 recordings, {done['empty']} without any event, {done['events']:,} events; left out: " in call(
        "convert", tree, "all.h5", *steps, "--force")


def test_a_conversion_with_other_transforms_begins_anew(call, tree, monkeypatch):
    from eventsim.data import conversion
    from eventsim.data.applied import Transforms, transformed_splits

    splits = open_dataset(tree)
    some, others = (transformed_splits(splits, Transforms([("pool", {"factor": n})])) for n in (2, 3))
    calls = iter([False] * 9 + [True])
    with pytest.raises(conversion.Stopped):
        conversion.convert_dataset(some, "all.h5", is_stopped=lambda: next(calls))
    assert partial_of("all.h5").exists()
    seen = []
    conversion.convert_dataset(others, "all.h5", advance=seen.append)
    assert seen[0] == 0 and str(open_dataset("all.h5").train.sensor) == "12x12x2"


@pytest.mark.parametrize(("step", "sentence"), [
    ("blur", f"there is no transform 'blur'; there are {', '.join(TRANSFORMS)}; see"),
    ("denoise:windw=5", "denoise takes window, got 'windw=5'; write denoise:window=10.0; see"),
    ("denoise:window", "denoise takes window, got 'window'; write denoise:window=10.0"),
    ("denoise:window=1,window=2", "denoise is given window twice; write denoise:window=10.0"),
    ("crop:x=1,y=2", "crop needs width, height; write crop:x=X,y=Y,width=WIDTH,height=HEIGHT"),
    ("merge_polarity:p=1", "merge_polarity takes no parameter, got 'p=1'; write merge_polarity;"),
    ("time_window:start=1,,", "got ''; write time_window:start=0.0,stop=STOP,from_start=true"),
    ("denoise:window=abc", "denoise: window must be a number of at least 0 and below 1e+12, got 'abc'"),
    ("denoise:window=nan", "denoise: window must be a number of at least 0 and below 1e+12, got nan"),
    ("crop:x=0,y=0,width=99,height=1", "crop: width must be a whole number from 1 to 34, got 99"),
    ("flip:axis=z", "flip: axis must be x or y or p, got 'z'"),
    ("time_window:start=0,from_start=no", "time_window: from_start must be true or false, got 'no'"),
    ("time_window", "time_window needs start or stop; write time_window:start=0.0,stop=STOP,from_start=true"),
    ("time_window:from_start=false", "time_window needs start or stop; write"),
    ("hot_pixel_filter", "hot_pixel_filter needs rate or factor; write hot_pixel_filter:rate=RATE,factor=FACTOR"),
    ("jitter", "jitter needs seed, time or space; write jitter:seed=SEED,time=0.0,space=0.0"),
    ("jitter:seed=1", "jitter needs time or space; write"),
    ("drop_events:probability=0.5,seed=-1", "drop_events: seed must be a whole number from 0 to "),
])
def test_what_cannot_be_applied(refuse, here, recording, step, sentence):
    assert sentence in refuse("convert", recording, "a.csv", "--apply", step)
    assert list(here.iterdir()) == []


def test_a_recording_of_which_nothing_is_left_is_not_written(refuse, here, recording):
    message = refuse("convert", recording, "a.csv", "--apply", "time_window:start=5000")
    assert message == f"{recording}: no event is left, left out were 400 by time_window; apply less to it"
    assert list(here.iterdir()) == []


def test_the_help_names_every_transform():
    text = " ".join(main.get_command(click.Context(main), "convert").help.split())
    said = text.partition("--apply calls ")[2].partition(", with the parameters")[0]
    assert said.replace(" or ", ", ").split(", ") == list(TRANSFORMS)

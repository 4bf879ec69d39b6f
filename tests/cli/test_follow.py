"""`eventsim simulate --follow`: pipes, files, UDP and TCP, in processes of their own."""

import contextlib
import json
import pathlib
import re
import signal
import socket
import subprocess
import threading
import time

import numpy as np
import pytest
from click.testing import CliRunner

import eventsim
from eventsim.cli import main
from eventsim.data import CODECS
from eventsim.data.codecs.csv import encode
from eventsim.engine.stream import Stream

PATIENCE = 60  # s, of which nearly all is for the compiler, where nothing is cached


@pytest.fixture
def events(recording):
    return eventsim.read(recording)


@pytest.fixture
def wanted(run, events):
    """What a stream says of the recording: times and neurons of all output spikes, and its report."""
    stream = Stream(eventsim.load(run))
    stream.push(events)
    stream.finish()
    spikes = stream.spikes()
    assert len(spikes.time) > 20
    return spikes, stream.report


@pytest.fixture
def start(script, run):
    """Start following in the background; gives the process once it follows, and what it follows."""
    with contextlib.ExitStack() as stack:

        def popen(*arguments):
            command = [script, "simulate", "--follow", *map(str, arguments)]
            pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
            process = stack.enter_context(subprocess.Popen(command, **pipes))
            stack.callback(process.kill)
            watchdog = threading.Timer(PATIENCE, process.kill)  # or a line that does not come would be waited for
            watchdog.start()
            stack.callback(watchdog.cancel)
            line = process.stderr.readline().decode()
            assert line.startswith("following "), line + process.stderr.read().decode()
            return process, line.split()[1]

        yield popen


@pytest.fixture
def follow(run):
    """Follow standard input to its end, in this process; gives the lines, which are objects."""

    def lines(stdin, *arguments):
        command = ["simulate", "--follow", "-", "--json", *map(str, arguments)]
        result = CliRunner().invoke(main, command, input=stdin, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.stdout.splitlines()

    return lines


def finished(process, status=0):
    """The lines of stdout of a process that ends, and its stderr."""
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == status, err
    return out.decode().splitlines(), err.decode()


def read_lines(process, n):
    return [process.stdout.readline().decode() for _ in range(n)]


def objects(lines):
    """Objects of the kinds spike, scores and summary."""
    found = [json.loads(line) for line in lines]
    kinds = [[one for one in found if one["kind"] == kind] for kind in ("spike", "scores", "summary")]
    assert sum(map(len, kinds)) == len(found) and len(kinds[2]) <= 1
    return kinds


def assert_spikes(found, spikes):
    assert [one["neuron"] for one in found] == spikes.address.tolist()
    np.testing.assert_allclose([one["time"] for one in found], spikes.time, rtol=0, atol=1e-9)


def datagram_sender(address):
    port = int(address.rpartition(":")[2])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.connect(("127.0.0.1", port))
        yield sender


def test_standard_input(follow, recording, wanted):
    spikes, report = wanted
    found, scores, (summary,) = objects(follow(recording.read_bytes(), "--codec", "nmnist"))
    assert_spikes(found, spikes)
    assert summary["events"] == summary["processed"] == 400 and summary["held"] == 0
    assert [layer["spikes"] for layer in summary["layers"]] == list(report.spikes)
    assert [layer["synops"] for layer in summary["layers"]] == list(report.synops)
    assert summary["synops"] == sum(report.synops) and summary["stream_ms"] == report.certain_ms
    assert summary["backlog_bytes"] >= 2000
    assert summary["events_per_second"] == pytest.approx(400 / summary["seconds"])
    end = summary["score_end_ms"]
    last = np.bincount(spikes.address[(spikes.time >= end - 300) & (spikes.time < end)], minlength=10)
    assert (summary["class"], summary["counts"], summary["score_ms"]) == (np.argmax(last), last.tolist(), 300.0)
    assert [one["time"] for one in scores] == [100.0 * i for i in range(1, len(scores) + 1)] and len(scores) >= 3
    for one in scores:
        inside = (spikes.time >= one["time"] - 300) & (spikes.time < one["time"])
        counts = np.bincount(spikes.address[inside], minlength=10)
        assert one["counts"] == counts.tolist()
        assert one["class"] == (np.argmax(counts) if counts.any() else None)


@pytest.mark.parametrize("codec", ["evt3", "es", "store", "npy"])
def test_recordings_of_any_format_run_to_their_end(call, recording, wanted, codec):
    spikes, report = wanted
    name = f"r{CODECS[codec].suffixes[0]}"
    call("convert", recording, name)
    text = CliRunner().invoke(main, ["simulate", "--follow", name, "--once", "--json"], catch_exceptions=False).stdout
    found, _, (summary,) = objects(text.splitlines())
    assert_spikes(found, spikes)
    assert (summary["events"], summary["synops"]) == (400, sum(report.synops)) and summary["buffer_bytes"] == 0


def test_a_format_without_a_live_decoder_comes_through_a_pipe(follow, events, wanted):
    found, _, (summary,) = objects(follow(CODECS["evt3"].encode(events), "--codec", "evt3"))
    assert_spikes(found, wanted[0])
    assert summary["processed"] == 400


def test_screen(call, recording, wanted):
    spikes, _ = wanted
    text = call("simulate", "--follow", recording, "--once", "--every", 50, "--score", 80)
    first = f"{spikes.time[0]:.3f} ms  output {spikes.address[0]}"
    assert first in text.splitlines()
    assert len(re.findall(r"^\d+\.\d{3} ms  output \d$", text, re.M)) == len(spikes.time)
    scores = re.findall(r"^(\d+)\.000 ms  class (\d|-)  spikes( \d+){10}$", text, re.M)
    assert len(scores) >= 5 and all(int(at) % 50 == 0 for at, *_ in scores)
    times = [float(t) for t in re.findall(r"^(\d+\.\d{3}) ms", text, re.M)]
    assert times == sorted(times)
    assert "Events     400 in " in text and "\ndense1       16 " in text and "\nall  " in text
    quiet = call("simulate", "--follow", recording, "--once", "--every", 50, "--score", 80, "--no-spikes")
    assert "output" not in quiet.split("Stream")[0] and scores == re.findall(
        r"^(\d+)\.000 ms  class (\d|-)  spikes( \d+){10}$", quiet, re.M)


def test_a_pipe_is_answered_at_once(start, recording, wanted):
    """Spikes come out while the pipe is open; at its end come the rest."""
    spikes, _ = wanted
    process, name = start("-", "--codec", "nmnist", "--json", "--every", 1000)
    assert name == "standard"
    data = recording.read_bytes()
    process.stdin.write(data[:1001])  # and a byte of the next event
    process.stdin.flush()
    certain = eventsim.read(recording).t[199] / 1000
    n = int(np.count_nonzero(spikes.time < certain))
    assert n > 5
    before = read_lines(process, n)
    process.stdin.write(data[1001:])
    lines, _ = finished(process)
    found, _, (summary,) = objects(before + lines)
    assert_spikes(found, spikes)
    assert summary["events"] == 400 and summary["cut"] == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_growing_file_is_followed_until_a_signal(start, here, recording, wanted, number):
    spikes, _ = wanted
    data = recording.read_bytes()
    (here / "grows.bin").write_bytes(data[:500])
    process, name = start("grows.bin", "--json", "--every", 1000)
    assert name == "grows.bin"
    times = eventsim.read(recording).t / 1000
    half = int(np.count_nonzero(spikes.time < times[299]))
    with open("grows.bin", "ab") as file:
        file.write(data[500:1500])
    before = read_lines(process, half)
    process.send_signal(number)
    lines, _ = finished(process)
    found, _, (summary,) = objects(before + lines)
    assert_spikes(found, type(spikes)(spikes.time[:half], spikes.address[:half]))  # what is certain, and no more
    assert summary["events"] == 300 and summary["held"] >= 1 and summary["stream_ms"] == times[299]


def test_a_file_that_is_truncated_ends_the_stream_with_a_sentence(start, here, recording):
    (here / "grows.bin").write_bytes(recording.read_bytes())
    process, _ = start("grows.bin", "--json")
    read_lines(process, 3)
    time.sleep(0.2)
    (here / "grows.bin").write_bytes(b"")
    lines, err = finished(process, status=1)
    assert json.loads(lines[-1])["events"] == 400
    assert err == "Error: grows.bin: was truncated to 0 bytes, of which 2000 had been read, while it was followed; " \
                  "follow it anew\n"


def test_udp_with_disorder_broken_datagrams_and_silence(start, events, wanted):
    """Datagrams of ten events, every two of them swapped; --idle makes the last spikes certain."""
    spikes, _ = wanted
    process, address = start("udp://127.0.0.1:0", "--codec", "csv", "--json", "--reorder", 50, "--every", 1000,
                             "--idle", 1000)
    assert re.fullmatch(r"udp://127\.0\.0\.1:\d+", address)
    parts = [encode(events[i : i + 10]).partition(b"\n")[2] for i in range(0, 400, 10)]
    for sender in datagram_sender(address):
        for i in range(0, 40, 2):
            sender.send(parts[i + 1])
            sender.send(parts[i])
        sender.send(b"400000000,99,0,0\nnonsense\n")
    before = read_lines(process, len(spikes.time))
    process.send_signal(signal.SIGINT)
    lines, err = finished(process)
    found, _, (summary,) = objects(before + lines)
    assert_spikes(found, spikes)
    assert (summary["events"], summary["held"], summary["late_dropped"]) == (400, 0, 0)
    assert (summary["outside"], summary["bad"]) == (1, 1) and summary["reordered"] >= 190
    assert summary["dropped_datagrams"] == summary["lost_datagrams"] == 0
    assert "outside the 34x34x2 sensor; it is skipped" in err and "is 'nonsense', which is no event" in err


def test_udp_that_comes_too_fast_is_dropped_and_counted(start, recording):
    process, address = start("udp://127.0.0.1:0", "--codec", "nmnist", "--json", "--no-spikes", "--buffer", 0.001)
    data = recording.read_bytes()
    process.send_signal(signal.SIGSTOP)
    for sender in datagram_sender(address):
        for i in range(0, 2000, 500):
            sender.send(data[i : i + 500])
        sender.send(b"123")
    process.send_signal(signal.SIGCONT)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    lines, _ = finished(process)
    summary = json.loads(lines[-1])
    assert summary["events"] + summary["dropped_events"] == 400
    assert summary["dropped_datagrams"] == (summary["dropped_events"] / 100 + (summary["cut"] == 0))


def test_tcp_takes_one_client_after_the_other(start, recording, wanted):
    spikes, _ = wanted
    process, address = start("tcp://127.0.0.1:0", "--codec", "nmnist", "--json", "--every", 1000)
    data = recording.read_bytes()
    for part in (data[:777], data[775:]):  # an event of which two bytes came, and then all
        with socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2]))) as client:
            client.sendall(part)
    certain = int(np.count_nonzero(spikes.time < eventsim.read(recording).t[-1] / 1000))
    before = read_lines(process, certain)
    process.send_signal(signal.SIGTERM)
    lines, err = finished(process)
    found, _, (summary,) = objects(before + lines)
    assert_spikes(found, type(spikes)(spikes.time[:certain], spikes.address[:certain]))
    assert (summary["events"], summary["cut"], summary["clients"]) == (400, 1, 2)
    assert "the stream ends inside an event, 2 bytes are left" in err


def test_tcp_once_ends_with_the_client(start, recording, wanted):
    process, address = start("tcp://127.0.0.1:0", "--codec", "nmnist", "--json", "--once", "--every", 1000)
    with socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2]))) as client:
        client.sendall(recording.read_bytes())
    lines, _ = finished(process)
    assert_spikes(objects(lines)[0], wanted[0])


@pytest.mark.parametrize("late", ["drop", "now"])
def test_late_events(follow, events, late):
    text = encode(events[:300]) + b"5,1,1,0\n6,1,1,0\n" + encode(events[300:]).partition(b"\n")[2]
    summary = json.loads(follow(text, "--codec", "csv", "--late", late)[-1])
    assert (summary["events"], summary[{"drop": "late_dropped", "now": "late_moved"}[late]]) == (402, 2)
    assert summary["processed"] == (400 if late == "drop" else 402)


def test_late_events_stop_the_stream_where_they_shall(shell, run, events):
    text = encode(events[:300]) + b"5,1,1,0\n"
    done = shell("simulate", "--follow", "-", "--codec", "csv", "--json", "--late", "stop", input=text.decode())
    assert done.returncode == 1 and json.loads(done.stdout.splitlines()[-1])["kind"] == "summary"
    last = done.stderr.splitlines()[-1]
    assert last.startswith("Error: an event at 0.005 ms came when the stream was certain up to ")


def test_wrapped_clocks_go_on(follow, events):
    """The 23 bits of an endless N-MNIST stream."""
    from eventsim.data.codecs.nmnist import encode as records

    def after(us):
        return records(eventsim.Events(events.t + us, events.x, events.y, events.p, events.sensor)[:50])

    laps = (records(events) + after(4_000_000) + after(8_000_000)) * 3 + records(events)
    summary = json.loads(follow(laps, "--codec", "nmnist", "--no-spikes")[-1])
    assert (summary["wraps"], summary["late_dropped"], summary["events"]) == (3, 0, 3 * 500 + 400)
    assert summary["stream_ms"] > 3 * 2**23 / 1000


def test_silence_prints_no_scores(follow):
    """However long it is: at 71 years there are 2e10 lines that might be printed."""
    text = b"1000,1,1,0\n2251799813000000,1,1,0\n2251799813100000,1,1,0\n"
    lines = follow(text, "--codec", "csv")
    assert len(lines) == 1 and json.loads(lines[0])["events"] == 3


def test_a_closed_output_ends_quietly(script, run, recording):
    command = f"cat {recording} | {script} simulate --follow - --codec nmnist | head -n 1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0 and len(done.stdout.splitlines()) == 1
    assert [line for line in done.stderr.splitlines() if not line.startswith("following ")] == []


class TestRefused:
    @pytest.mark.parametrize(("arguments", "part"), [
        (["--clock", "grid"], "a stream runs on the exact clock, which --follow implies; leave --clock out"),
        (["--clock", "1ms"], "leave --clock out"), (["--out", "x.h5"], "--out goes with a recording"),
        (["--weights", "int8"], "--weights goes with a recording"), (["--force"], "--force goes with a recording"),
        (["--sensor", "28x28x1"], "takes events of a 34x34x2 sensor, --sensor says 28x28x1"),
        (["--every", "0"], "--every must be a time in ms"), (["--every", "1e-9"], "--every must be at least 1 ms"),
        (["--idle", "-1"], "--idle must be a time in ms"),
        (["--score", "0"], "score_ms must be a time in ms"), (["--reorder", "-1"], "reorder_ms must be a time in ms"),
        (["--late", "never"], "--late"), (["--buffer", "0"], "--buffer"), (["--codec", "aedat9"], "nmnist or csv"),
        (["--codec", "aedat2"], "AEDAT 2.0 cannot be followed as they grow, those of nmnist, csv can; add --once"),
    ])
    def test_beside_follow(self, refuse, run, recording, arguments, part):
        assert part in refuse("simulate", "--follow", recording, *arguments)

    @pytest.mark.parametrize("option", [["--every", "10"], ["--score", "10"], ["--no-spikes"], ["--reorder", "1"],
                                        ["--late", "now"], ["--idle", "10"], ["--buffer", "1"], ["--once"]])
    def test_without_follow(self, refuse, run, recording, option):
        message = f"{option[0]} goes with a stream; add --follow, or leave it out"
        assert refuse("simulate", recording, *option) == message

    def test_sources(self, refuse, run):
        message = refuse("simulate", "--follow", "-")
        assert message == "standard input: does not say its format; name it, e.g. --codec nmnist (nmnist, csv)"
        assert refuse("simulate", "--follow", "udp://:0").startswith("udp://:0: does not say its format")
        assert "no such file" in refuse("simulate", "--follow", "none.bin")
        assert "is no address" in refuse("simulate", "--follow", "udp://x", "--codec", "csv")
        assert refuse("simulate", "--follow", "typo").startswith("typo: no such file or folder")
        pathlib.Path("sample.xyz").write_bytes(b"")
        assert "supported are" in refuse("simulate", "--follow", "sample.xyz")
        assert "is a stream, not a file; add --follow" in refuse("simulate", "tcp://:5000")
        message = refuse("simulate", "--follow", "udp://:0", "--codec", "es")
        assert "cannot be sent there, but nmnist, csv can" in message

    @pytest.mark.parametrize("output", [[], ["--json"]])
    def test_before_the_first_event_there_is_no_summary(self, refuse, run, here, events, output):
        larger = eventsim.Events(events.t, events.x + 10, events.y, events.p, eventsim.Sensor(44, 34))
        for name in ("r.es", "r.h5"):
            eventsim.write(here / name, larger)
            message = refuse("simulate", "--follow", name, "--once", *output)
            assert message.startswith(f"{name}: is of a 44x34x2 sensor, the network takes events of a 34x34x2 sensor; ")
        assert "no such file" in refuse("simulate", "--follow", "none.h5", "--once", *output)


def test_a_recording_that_is_damaged_later_has_a_summary(run, here, events):
    (here / "r.es").write_bytes(CODECS["es"].encode(events)[:-2])
    result = CliRunner().invoke(main, ["simulate", "--follow", "r.es", "--once", "--json"])
    (summary,) = objects(result.stdout.splitlines())[2]
    assert result.exit_code == 1 and summary["events"] == 399

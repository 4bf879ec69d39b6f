"""Sources of streams: pipes, growing files, UDP and TCP, with real threads and sockets of this machine."""

import contextlib
import os
import socket
import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest

from eventsim.data import CODECS
from eventsim.data.streams import END, File, Pipe, arrivals, is_address, open_source
from eventsim.data.streams.base import _OVERHEAD
from eventsim.errors import ConfigError, FormatError
from eventsim.sensor import Sensor

PATIENCE = 20.0  # s that a test waits for what must come


def wait_for(condition):
    """Wait until something holds; fails after `PATIENCE`."""
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until, "it did not come"
        time.sleep(0.002)


def collect(source, n_bytes):
    """The next bytes of a source, ``n_bytes`` of them."""
    out, until = b"", time.monotonic() + PATIENCE
    while len(out) < n_bytes and time.monotonic() < until:
        out += b"".join(piece for piece in source.take(1 << 20, 0.05) if piece is not END)
    return out


def everything(source):
    """All bytes of a source that ends."""
    out = b""
    while not source.ended:
        out += b"".join(piece for piece in source.take(1 << 20, 0.05) if piece is not END)
    return out


def port_of(source):
    return int(source.name.rpartition(":")[2])


@pytest.fixture
def udp():
    """An open UDP source, and a function that sends to it."""
    with contextlib.ExitStack() as stack:

        def make(**options):
            source = stack.enter_context(open_source("udp://127.0.0.1:0", **options))
            sender = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            return source, lambda data: sender.sendto(data, ("127.0.0.1", port_of(source)))

        yield make


class TestPipe:
    @pytest.fixture
    def pipe(self):
        """A pipe, as numbers of its two ends."""
        ends = os.pipe()
        yield ends
        for end in ends:
            with contextlib.suppress(OSError):
                os.close(end)

    def test_gives_what_is_written_until_the_end(self, pipe):
        with Pipe("pipe", 1 << 20, lambda size: os.read(pipe[0], size)).start() as source:
            os.write(pipe[1], b"first")
            assert collect(source, 5) == b"first" and not source.ended
            assert source.take(99, 0.01) == []
            os.write(pipe[1], b"second")
            os.close(pipe[1])
            assert everything(source) == b"second"

    def test_is_held_back_and_loses_nothing(self, pipe):
        """The writer fills our buffer and the system's, and then has to wait."""
        os.set_blocking(pipe[1], False)
        data, sent, capacity = np.random.default_rng(0).bytes(1 << 20), 0, 100_000
        with Pipe("pipe", capacity, lambda size: os.read(pipe[0], size)).start() as source:
            refused = 0
            while refused < 20:  # nobody takes anything
                try:
                    sent += os.write(pipe[1], data[sent : sent + 4096])
                except BlockingIOError:
                    refused += 1
                    time.sleep(0.002)
            # What the reader holds in its hand, at most a pipe's content, would not fit any more.
            assert sent < len(data) and capacity - _OVERHEAD - (1 << 16) <= source.backlog <= capacity
            got = b""
            while sent < len(data):
                got += b"".join(source.take(1 << 16, 0))
                with contextlib.suppress(BlockingIOError):
                    sent += os.write(pipe[1], data[sent : sent + 4096])
            os.close(pipe[1])
            assert got + everything(source) == data
            assert source.backlog <= capacity

    def test_takes_about_as_much_as_is_asked_for(self):
        with Pipe("pipe", 1 << 20, _pieces(b"a" * 100, b"b" * 100, b"c" * 100)).start() as source:
            wait_for(lambda: source._done)
            assert source.backlog == 3 * (100 + _OVERHEAD)
            assert [len(source.take(200, 0)), len(source.take(200, 0)), source.ended] == [2, 1, True]

    def test_a_reader_that_fails_gives_what_it_had_first(self):
        left = [b"data"]

        def read(size):
            if left:
                return left.pop()
            raise OSError(5, "Input/output error")

        with Pipe("the pipe", 1000, read).start() as source:
            assert collect(source, 4) == b"data"
            with pytest.raises(FormatError, match=r"^the pipe: cannot be read on \(Input/output error\)$"):
                source.take(100, PATIENCE)

    def test_standard_input(self, pipe, monkeypatch):
        with open(pipe[0], "rb", closefd=False) as reader:
            monkeypatch.setattr(sys, "stdin", reader)
            os.write(pipe[1], b"12345")
            os.close(pipe[1])
            with open_source("-") as source:
                assert everything(source) == b"12345"
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=SimpleNamespace(read1=_pieces(b"67"))))
        with open_source("-") as source:
            assert everything(source) == b"67"
        monkeypatch.setattr(sys, "stdin", None)
        with pytest.raises(ConfigError, match="standard input is closed"):
            open_source("-")


def _pieces(*pieces):
    """A reader of these pieces."""
    left = [*pieces, b""]
    return lambda size: left.pop(0)


class TestFile:
    def test_is_followed_as_it_grows(self, tmp_path):
        path = tmp_path / "a.bin"
        path.write_bytes(b"start")
        with open_source(path) as source, open(path, "ab", buffering=0) as file:
            assert collect(source, 5) == b"start"
            assert source.take(99, 0.1) == [] and not source.ended
            for i in range(3):
                file.write(b"%d" % i * 7)
                assert collect(source, 7) == b"%d" % i * 7

    def test_ends_with_the_file_where_that_is_wanted(self, tmp_path):
        path = tmp_path / "a.bin"
        path.write_bytes(b"x" * 200_000)
        with open_source(str(path), once=True, capacity=70_000) as source:
            assert everything(source) == b"x" * 200_000

    @pytest.mark.parametrize(("change", "what"), [
        (lambda path: os.truncate(path, 2), "was truncated to 2 bytes, of which 5 had been read,"),
        (lambda path: os.replace(_other(path), path), "was replaced by another file"),
        (lambda path: os.remove(path), "was removed"),
    ], ids=["truncated", "replaced", "removed"])
    def test_one_that_changes_otherwise_is_an_error(self, tmp_path, change, what):
        path = tmp_path / "a.bin"
        path.write_bytes(b"start")
        with open_source(path) as source:
            assert collect(source, 5) == b"start"
            change(path)
            with pytest.raises(FormatError) as refused:
                source.take(100, PATIENCE)
            assert str(refused.value) == f"{path}: {what} while it was followed; follow it anew"
            assert source.ended

    def test_what_was_appended_before_it_was_replaced_is_not_lost(self, tmp_path, monkeypatch):
        path = tmp_path / "a.bin"
        path.write_bytes(b"")
        monkeypatch.setattr(File, "pause", lambda self: go_on.pop()())
        go_on = [lambda: None, lambda: (path.write_bytes(b"tail"), os.replace(_other(path), path))]
        with open_source(path) as source:
            assert collect(source, 4) == b"tail"
            with pytest.raises(FormatError, match="was replaced"):
                source.take(100, PATIENCE)

    def test_a_named_pipe_is_read_like_any(self, tmp_path):
        path = tmp_path / "fifo"
        os.mkfifo(path)
        with open_source(path, once=True) as source:
            with open(path, "wb") as file:
                file.write(b"12345")
            assert everything(source) == b"12345"

    def test_one_that_cannot_be_read_is_refused_at_once(self, tmp_path):
        with pytest.raises(FormatError, match=r"none\.bin: no such file"):
            open_source(tmp_path / "none.bin")
        with pytest.raises(FormatError, match="is a folder"):
            open_source(tmp_path)
        with pytest.raises(ConfigError, match="expected a path"):
            open_source(None)


def _other(path):
    """Another file in the same folder."""
    other = path.with_name("other")
    other.write_bytes(b"other")
    return other


class TestUDP:
    def test_every_piece_is_a_datagram(self, udp):
        source, send = udp()
        assert source.datagrams
        for data in (b"one", b"", b"three"):  # an empty one holds nothing
            send(data)
        pieces = []
        wait_for(lambda: pieces.extend(source.take(100, 0.05)) or len(pieces) == 2)
        assert pieces == [b"one", b"three"]
        assert (source.dropped_datagrams, source.dropped_events, source.lost_datagrams) == (0, 0, 0)

    def test_what_finds_the_buffer_full_is_dropped_and_counted(self, udp):
        """Everything that was sent is either there or counted."""
        source, send = udp(capacity=10 * (50 + _OVERHEAD), records=lambda data: len(data) // 5)
        for i in range(30):
            send(bytes([i]) * 50)
            wait_for(lambda i=i: source.dropped_datagrams + len(source._pieces) == i + 1)
        assert source.take(1 << 20, 0) == [bytes([i]) * 50 for i in range(10)]
        assert (source.dropped_datagrams, source.dropped_events) == (20, 200)
        send(b"more")
        assert collect(source, 4) == b"more"

    @pytest.mark.skipif(sys.platform != "linux", reason="only Linux counts what it loses")
    def test_what_the_system_loses_is_counted(self, udp, monkeypatch):
        """While the reader does nothing, the system's buffer overflows."""
        from eventsim.data.streams import sockets

        monkeypatch.setattr(sockets, "_SYSTEM_BUFFER", 5000)
        held, real = [True], sockets.UDP._receive

        def receive(self):
            wait_for(lambda: not held or self.closing)
            return real(self)

        monkeypatch.setattr(sockets.UDP, "_receive", receive)
        source, send = udp()
        for _ in range(100):
            send(b"x" * 1000)
        held.clear()
        wait_for(lambda: source.take(1 << 20, 0.02) == [])
        send(b"last")
        assert collect(source, 4) == b"last"
        assert 50 < source.lost_datagrams < 100


class TestTCP:
    def test_takes_one_client_after_the_other(self):
        with open_source("tcp://127.0.0.1:0") as source:
            for i in range(3):
                with socket.create_connection(("127.0.0.1", port_of(source))) as client:
                    client.sendall(b"%d2345" % i)
                    assert collect(source, 5) == b"%d2345" % i
            wait_for(lambda: source.clients == 3)
            assert not source.ended

    def test_the_second_client_waits_for_the_first_to_leave(self):
        with open_source("tcp://:0") as source:
            pieces = []
            first = socket.create_connection(("127.0.0.1", port_of(source)))
            with socket.create_connection(("127.0.0.1", port_of(source))) as second:
                second.sendall(b"second")
                first.sendall(b"first")
                wait_for(lambda: pieces.extend(source.take(99, 0.02)) or pieces == [b"first"])
                assert source.take(99, 0.1) == [] and source.clients == 1
                first.close()
                wait_for(lambda: pieces.extend(source.take(99, 0.02)) or len(pieces) == 3)
            assert pieces == [b"first", END, b"second"]

    def test_may_end_with_the_first_client(self):
        with open_source("tcp://127.0.0.1:0", once=True) as source:
            with socket.create_connection(("127.0.0.1", port_of(source))) as client:
                client.sendall(b"all")
            assert everything(source) == b"all"

    def test_is_held_back_and_loses_nothing(self):
        data = np.random.default_rng(0).bytes(20 << 20)
        with open_source("tcp://127.0.0.1:0", capacity=100_000, once=True) as source:
            with socket.create_connection(("127.0.0.1", port_of(source))) as client:
                client.setblocking(False)
                sent = refused = 0
                while refused < 20:
                    try:
                        sent += client.send(data[sent : sent + 65536])
                    except BlockingIOError:
                        refused += 1
                        time.sleep(0.01)
                assert sent < len(data)
                got = []
                while sent < len(data):
                    got += source.take(1 << 20, 0)
                    with contextlib.suppress(BlockingIOError):
                        sent += client.send(data[sent : sent + 65536])
            assert b"".join(got) + everything(source) == data
            assert source.backlog <= 100_000

    def test_a_client_that_breaks_off_is_one_that_left(self):
        with open_source("tcp://127.0.0.1:0") as source:
            client = socket.create_connection(("127.0.0.1", port_of(source)))
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            client.sendall(b"12345")
            assert collect(source, 5) == b"12345"
            client.close()  # with a reset
            with socket.create_connection(("127.0.0.1", port_of(source))) as other:
                other.sendall(b"67890")
                assert collect(source, 5) == b"67890"


@pytest.mark.parametrize("name", ["udp://127.0.0.1", "tcp://host:port", "udp://:70000", "tcp://", "udp://1:2/path"])
def test_what_is_no_address_is_refused(name):
    assert is_address(name)
    with pytest.raises(ConfigError, match=r"is no address to listen on; write e\.g\. (udp|tcp)://127\.0\.0\.1:5000"):
        open_source(name)


def test_an_address_that_is_taken_is_refused():
    for scheme in ("udp", "tcp"):
        with open_source(f"{scheme}://127.0.0.1:0") as source, \
                pytest.raises(ConfigError, match=r"cannot be listened on \(Address already in use\); choose another"):
            open_source(source.name)
    with pytest.raises(ConfigError, match="cannot be listened on"):
        open_source("tcp://192.0.2.1:5000")  # an address that is nobody's


def test_a_closed_source_reads_no_more():
    for name in ("udp://127.0.0.1:0", "tcp://127.0.0.1:0"):
        source = open_source(name)
        source.close()
        assert source.ended and not source._thread.is_alive()


def test_bytes_become_events_and_silence_none(udp):
    source, send = udp()
    decoder = CODECS["csv"].decoder(Sensor(34, 34))
    found = arrivals(source, decoder, 0.01)
    assert next(found) is None
    send(b"5,1,1,0\n6,1,1,0")
    times = []
    wait_for(lambda: times.extend(getattr(next(found), "t", ())) or times == [5, 6])
    source.close()
    assert [len(one) for one in found if one is not None] == [0]


def test_a_client_s_half_record_is_not_mixed_with_the_next_one_s():
    with open_source("tcp://127.0.0.1:0") as source:
        decoder = CODECS["csv"].decoder(Sensor(34, 34))
        found, times = arrivals(source, decoder, 0.01), []
        for text in (b"t,x,y,p\n1,1,1,0\n2,1,", b"x,y,p,t\n1,1,0,7\n"):
            with socket.create_connection(("127.0.0.1", port_of(source))) as client:
                client.sendall(text)
        wait_for(lambda: times.extend(getattr(next(found), "t", ())) or times == [1, 7])
        assert (decoder.counts["bad"], decoder.counts["cut"]) == (0, 1)

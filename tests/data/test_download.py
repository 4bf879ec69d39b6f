"""Downloads from a server on this machine that breaks, falls silent, lies and serves something else."""

import contextlib
import hashlib
import http.server
import io
import threading
import time
import zipfile

import pytest

from eventsim.data import download
from eventsim.errors import ConfigError, FormatError

DATA = bytes(range(256)) * 4000


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves ``server.data`` by the next of ``server.manners``, the last one ever after."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        server = self.server
        manner = server.manners.pop(0) if len(server.manners) > 1 else server.manners[0]
        start = int(self.headers.get("Range", "bytes=0-")[6:-1])
        server.asked.append((self.path, start))
        data = server.data
        if manner in ("404", "503"):
            self.answer(int(manner), b"")
            return
        if manner == "deaf":  # knows nothing of ranges
            start = 0
        if start >= len(data):
            self.answer(416, b"")
            return
        body = data[start:]
        headers = {"Content-Range": f"bytes {start}-{len(data) - 1}/{len(data)}"} if start else {}
        if manner == "other range":
            headers = {"Content-Range": f"bytes 1-{len(data) - 1}/{len(data)}"}
        if manner == "corrupt":
            body = bytes(len(body))
        length = len(body) + 5000 if manner == "promises more" else len(body)
        if manner == "promises less":
            length = len(body) // 2
        self.send_response(206 if headers else 200)
        for name, value in headers.items():
            self.send_header(name, value)
        if manner != "no length":
            self.send_header("Content-Length", str(length))
        self.send_header("Connection", "close")
        self.end_headers()
        with contextlib.suppress(OSError):
            if manner == "breaks":
                self.wfile.write(body[: len(body) // 2])
            elif manner == "silent":
                self.wfile.write(body[: len(body) // 3])
                self.wfile.flush()
                time.sleep(1.0)
            else:
                self.wfile.write(body)
        self.close_connection = True

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch):
    """A server; give it ``manners``."""
    monkeypatch.setattr(download, "_SILENCE", 0.3)
    monkeypatch.setattr(download, "_PAUSE", 0.01)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.data, server.manners, server.asked = DATA, ["good"], []
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        server.url = f"http://127.0.0.1:{server.server_address[1]}"
        yield server
        server.shutdown()
        thread.join()


def item(server, mirrors=("a",), data=DATA, kind="sha256", member=None):
    digest = f"{kind}:{hashlib.new(kind, data).hexdigest()}"
    return download.Item("set.bin", tuple(f"{server.url}/{mirror}" for mirror in mirrors), digest, member)


def fetched(server, tmp_path, **what):
    told = []
    path = download.fetch(item(server, **what), tmp_path / "new", tell=told.append)
    assert path.read_bytes() == DATA and [one.name for one in path.parent.iterdir()] == ["set.bin"]
    return told


@pytest.mark.parametrize("kind", ["sha256", "md5"])
def test_a_file_is_fetched_once(server, tmp_path, kind):
    seen = []
    for _ in range(2):
        download.fetch(item(server, kind=kind), tmp_path, advance=lambda *both: seen.append(both))
    assert server.asked == [("/a", 0)] and seen[-1] == (len(DATA), len(DATA))


@pytest.mark.parametrize("manners", [["breaks", "good"], ["silent", "good"], ["promises more", "good"], ["503", "good"],
                                     ["breaks", "breaks", "silent", "good"]])
def test_what_broke_is_gone_on_with(server, tmp_path, manners):
    server.manners = list(manners)
    told = fetched(server, tmp_path)
    assert len(told) == len(manners) - 1 and all("trying again" in sentence for sentence in told)
    starts = [start for _, start in server.asked]
    assert starts == sorted(starts) and (starts[-1] > 0 or manners[0] == "503")


@pytest.mark.parametrize("manners", [["breaks", "deaf"], ["breaks", "other range", "deaf"], ["no length"]])
def test_servers_that_know_no_ranges_or_lengths_will_do(server, tmp_path, manners):
    server.manners = list(manners)
    if "other range" in manners:  # what came is not what goes on, so it is taken from the start and is wrong
        server.manners = ["breaks", "other range"]
        with pytest.raises(FormatError, match="gave a file of the digest"):
            fetched(server, tmp_path)
    else:
        fetched(server, tmp_path)


def test_the_next_mirror_goes_on(server, tmp_path):
    server.manners = ["404", "good"]
    assert fetched(server, tmp_path, mirrors=("a", "b")) == []
    assert [path for path, _ in server.asked] == ["/a", "/b"]


def test_a_corrupt_file_is_refused_and_the_next_mirror_asked(server, tmp_path):
    server.manners = ["corrupt", "good"]
    fetched(server, tmp_path, mirrors=("a", "b"))
    assert server.asked == [("/a", 0), ("/b", 0)]


@pytest.mark.parametrize(("manner", "sentence"), [
    ("corrupt", "gave a file of the digest sha256:"), ("404", "HTTP status 404"), ("503", "HTTP status 503, 5 times"),
    ("promises less", "gave a file of the digest"),
])
def test_where_no_mirror_helps_it_is_said(server, tmp_path, manner, sentence):
    server.manners = [manner]
    with pytest.raises(FormatError, match=sentence) as refused:
        download.fetch(item(server), tmp_path)
    assert str(refused.value).startswith("set.bin: could not be fetched (127.0.0.1:")
    assert str(refused.value).endswith(f"fetch it by hand and put it at {tmp_path / 'set.bin'}")
    assert not (tmp_path / "set.bin").exists()


def test_nobody_listens(server, tmp_path):
    server.shutdown()
    server.server_close()
    with pytest.raises(FormatError, match="Connection refused, 5 times"):
        download.fetch(item(server), tmp_path)


def test_an_interrupted_download_is_gone_on_with(server, tmp_path):
    def stop(done, total):
        if done > 300_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download.fetch(item(server), tmp_path, advance=stop)
    assert download.fetch(item(server), tmp_path).read_bytes() == DATA
    assert server.asked[1][1] > 300_000


def test_a_file_put_there_by_hand_is_checked(server, tmp_path):
    (tmp_path / "set.bin").write_bytes(DATA)
    download.fetch(item(server), tmp_path)
    assert server.asked == []
    (tmp_path / "set.bin").write_bytes(b"another")
    assert download.fetch(item(server), tmp_path).read_bytes() == DATA


def zipped(name="inner.h5"):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(name, b"inside")
        archive.writestr("../evil", b"outside")
    return out.getvalue()


def test_one_member_of_a_zip_is_unpacked(server, tmp_path):
    server.data = zipped()
    wanted = item(server, data=server.data, member="inner.h5")
    assert download.fetch(wanted, tmp_path / "new").read_bytes() == b"inside"
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["inner.h5", "set.bin"]
    (tmp_path / "new" / "set.bin").unlink()
    download.fetch(wanted, tmp_path / "new")
    assert len(server.asked) == 1
    server.data = zipped("other.h5")
    with pytest.raises(FormatError, match="cannot be unpacked"):
        download.fetch(item(server, data=server.data, member="inner.h5"), tmp_path / "again")


def test_a_place_that_cannot_be_written(server, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="cannot be written"):
        download.fetch(item(server), tmp_path / "file")


def test_every_source_has_a_digest_of_every_file():
    for source in download.SOURCES.values():
        assert source.page.startswith("https://") and source.licence
        for one in source.items:
            kind, _, digits = one.digest.partition(":")
            assert len(digits) == {"sha256": 64, "md5": 32}[kind] and set(digits) <= set("0123456789abcdef")
            assert one.urls and all(url.startswith("https://") for url in one.urls)

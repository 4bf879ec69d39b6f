"""Fetching data sets: from mirrors, checked by their hash, gone on with where a connection broke."""

import contextlib
import functools
import hashlib
import http.client
import os
import time
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from dataclasses import dataclass
from importlib.metadata import version

from eventsim import files
from eventsim.errors import FormatError

_PIECE = 1 << 18  # bytes
_SILENCE = 30.0  # s without a byte, after which a connection is given up
_TRIES = 5  # of one mirror, of which each goes on where the last one broke
_PAUSE = 1.0  # s before the second try, twice as long before each one that follows


@dataclass(frozen=True)
class Item:
    """One file of a data set.

    name : of the file; urls : of its mirrors; digest : ``"sha256:..."`` or ``"md5:..."`` in hexadecimal digits
    member : what is unpacked of the zip that the file is, beside it; None: it is used as it is
    """

    name: str
    urls: tuple[str, ...]
    digest: str
    member: str | None = None


@dataclass(frozen=True)
class Source:
    """A data set that can be fetched, or one of which only a page is known where people have to ask for it."""

    title: str
    licence: str
    page: str
    items: tuple[Item, ...] = ()
    arch: str = "mlp512"  # to try on it


def _heidelberg(name, digest):
    """A file of SHD or SSC, whose two hosts serve the same bytes."""
    urls = tuple(f"https://{host}/datasets/{name}.h5.zip" for host in ("zenkelab.org", "compneuro.net"))
    return Item(f"{name}.h5.zip", urls, digest, f"{name}.h5")


_MENDELEY = "https://data.mendeley.com/public-files/datasets/468j46mzdv/files/{}/file_downloaded"
# Digests as published by tonic (github.com/neuromorphs/tonic), for want of any by those who made the data sets.
SOURCES: dict[str, Source] = {
    "nmnist": Source("N-MNIST", "CC BY-SA 4.0", "https://www.garrickorchard.com/datasets/n-mnist", (
        Item("Train.zip", (_MENDELEY.format("39c25547-014b-4137-a934-9d29fa53c7a0"),),
             "sha256:1a54ee392a5e5082a0bef52911cd9211f63b950a4905ccd8890553804d3335f9"),
        Item("Test.zip", (_MENDELEY.format("05a4d654-7e03-4c15-bdfa-9bb2bcbea494"),),
             "sha256:6ecfd5d85dbb49a631961d8dc3101871c5be53e645004ee34064f6557d169f09"),
    )),
    "shd": Source("Spiking Heidelberg Digits", "CC BY 4.0", "https://zenkelab.org/datasets", (
        _heidelberg("shd_train", "sha256:d21bf17b71bededa52cc9134717b2bfee25dc4a99a94c1807be9a3c4f9697dc4"),
        _heidelberg("shd_test", "sha256:f50b1d1f614ed84ff92f34aa771c33b237944722455b52ce1ccd2eac7903812c"),
    ), "700-128-20"),
    "ssc": Source("Spiking Speech Commands", "CC BY 4.0", "https://zenkelab.org/datasets", (
        _heidelberg("ssc_train", "md5:d102be95e7144fcc0553d1f45ba94170"),
        _heidelberg("ssc_valid", "md5:b4eee3516a4a90dd0c71a6ac23a8ae43"),
        _heidelberg("ssc_test", "md5:a35ff1e9cffdd02a20eb850c17c37748"),
    ), "700-128-35"),
    "ntidigits": Source("N-TIDIGITS18", "see its page", "https://doi.org/10.3389/fnins.2018.00023", (
        Item("n-tidigits.hdf5", ("https://www.dropbox.com/s/vfwwrhlyzkax4a2/n-tidigits.hdf5?dl=1",),
             "md5:360a2d11e5429555c9197381cf6b58e0"),
    ), "64-128-11"),
    "dvsgesture": Source("DVS128 Gesture", "CC BY 4.0",
                         "https://ibm.ent.box.com/s/3hiq58ww1pbbjrinh367ykfdf60xsfm8/folder/50167556794"),
    "ncaltech101": Source("N-Caltech101", "see its page", "https://www.garrickorchard.com/datasets/n-caltech101"),
}


class Broken(Exception):
    """A mirror failed in a way that another one may not."""


class Lost(Exception):
    """A connection failed in a way that another try may not."""


@contextlib.contextmanager
def _connection():
    """Turn what goes wrong with a connection into `Lost`, so that it is not taken for what goes wrong with a disk."""
    try:
        yield
    except urllib.error.HTTPError:
        raise
    except (OSError, http.client.HTTPException) as error:
        raise Lost(str(getattr(error, "reason", None) or error) or type(error).__name__) from None


def fetch(item, folder, advance=lambda done, total: None, tell=lambda sentence: None):
    """Bring a file into a folder, unless it is there already; returns its path, of a zip that of what was unpacked.

    advance : told how many bytes are there, and of how many (None: nobody knows); tell : told what went wrong

    Raises `FormatError` where no mirror gave the file, or what they gave is not it; `ConfigError` where it cannot be
    written. What was fetched is kept, and the next call goes on from there.
    """
    folder = files.as_path(folder)
    path = folder / item.name
    with files.writing(path):
        folder.mkdir(parents=True, exist_ok=True)
        if item.member and (folder / item.member).is_file():
            return folder / item.member
        if not (path.is_file() and digest_of(path, item.digest) == item.digest):
            _from_mirrors(item, path, advance, tell)
        return _unpacked(path, item.member) if item.member else path


def digest_of(path, like) -> str:
    """The digest of a file, of the kind that the digest ``like`` is of."""
    kind = like.partition(":")[0]
    with open(path, "rb") as file:
        found = hashlib.file_digest(file, functools.partial(hashlib.new, kind, usedforsecurity=False))
    return f"{kind}:{found.hexdigest()}"


def _from_mirrors(item, path, advance, tell):
    partial = path.with_name(f".{path.name}.part")
    reasons = []
    for url in item.urls:
        host = urllib.parse.urlsplit(url).netloc
        try:
            _from_mirror(url, partial, advance, tell)
        except Broken as error:
            reasons.append(f"{host}: {error}")
            continue
        found = digest_of(partial, item.digest)
        if found == item.digest:
            os.replace(partial, path)
            return
        partial.unlink()  # whatever it is, going on from it would not make it right
        reasons.append(f"{host}: gave a file of the digest {found}, expected {item.digest}")
    raise FormatError(f"{item.name}: could not be fetched ({'; '.join(reasons)}); try again later, or fetch it by hand "
                      f"and put it at {path}")


def _from_mirror(url, partial, advance, tell):
    """Fetch all of a file, in several tries; raises `Broken` where none of them got to its end."""
    for attempt in range(_TRIES):
        start = partial.stat().st_size if partial.exists() else 0
        try:
            _one_try(url, partial, start, advance)
            return
        except urllib.error.HTTPError as error:
            if error.code == 416 and start:  # what is there is as long as the file, or longer
                return
            if error.code not in (408, 425, 429) and error.code < 500:
                raise Broken(f"HTTP status {error.code}") from None
            reason = f"HTTP status {error.code}"
        except Lost as error:
            reason = str(error)
        if attempt + 1 < _TRIES:
            tell(f"{url}: {reason}; trying again")
            time.sleep(_PAUSE * 2**attempt)
    raise Broken(f"{reason}, {_TRIES} times")


def _one_try(url, partial, start, advance):
    headers = {"User-Agent": f"eventsim/{version('eventsim')}"} | ({"Range": f"bytes={start}-"} if start else {})
    with _connection():
        answer = urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=_SILENCE)
    with answer:
        goes_on = answer.status == 206 and answer.headers.get("Content-Range", "").startswith(f"bytes {start}-")
        length = answer.headers.get("Content-Length", "")
        done = start if goes_on else 0
        total = done + int(length) if length.isdecimal() else None
        with open(partial, "ab" if goes_on else "wb") as file:
            advance(done, total)
            while piece := _piece(answer):
                file.write(piece)
                done += len(piece)
                advance(done, total)
        if total is not None and done < total:
            raise Lost(f"the connection ended {total - done} bytes early")


def _piece(answer):
    with _connection():
        return answer.read(_PIECE)


def _unpacked(path, member):
    """Unpack one member of a zip beside it."""
    target = path.with_name(member)
    try:
        with zipfile.ZipFile(path) as archive, archive.open(member) as source, files.replacing(target) as temporary, \
                open(temporary, "xb") as file:
            while piece := source.read(_PIECE):
                file.write(piece)
    except (zipfile.BadZipFile, KeyError, EOFError) as error:
        raise FormatError(f"{path}: cannot be unpacked ({error}); delete it and download it again") from None
    return target

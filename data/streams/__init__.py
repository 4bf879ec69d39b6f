"""Streams of recordings: where their bytes come from, each read by a thread of its own through a bounded buffer."""

import urllib.parse

from eventsim import files
from eventsim.data.streams.base import END, Source
from eventsim.data.streams.pipes import File, Pipe, standard_input
from eventsim.data.streams.recorded import Recorded
from eventsim.data.streams.sockets import TCP, UDP
from eventsim.errors import ConfigError

SCHEMES = {"udp": UDP, "tcp": TCP}
# Bytes that are taken at once: enough that what is done once a piece costs little, few enough to be done soon.
MOST_TAKEN = 1 << 16
_LOOPBACK = "127.0.0.1"

__all__ = ["END", "SCHEMES", "TCP", "UDP", "File", "Pipe", "Recorded", "Source", "arrivals", "is_address",
           "open_source"]


def is_address(name) -> bool:
    """Whether ``name`` is an address to listen on rather than a file."""
    return isinstance(name, str) and name.partition("://")[0] in SCHEMES and "://" in name


def open_source(name, *, capacity=1 << 23, once=False, records=len) -> Source:
    """The running `Source` called ``name``; close it afterwards.

    name : ``"-"`` for standard input, ``udp://HOST:PORT`` or ``tcp://HOST:PORT`` to listen on (loopback where HOST is
        left out, any free port where PORT is 0), else a file, which is followed as it grows
    capacity : bytes that may wait; pipes, files and TCP are held back then, of UDP datagrams are dropped
    once : end at the end of the file, or when the first TCP client leaves, rather than wait for more
    records : how many events a datagram holds, to count those that are dropped

    Raises `FormatError` for a file that cannot be read, `ConfigError` for an address that cannot be listened on.
    """
    if name == "-":
        return Pipe("standard input", capacity, standard_input()).start()
    if not is_address(name):
        return File(files.as_path(name), capacity, once).start()
    host, port = _host_and_port(name)
    source = TCP(host, port, capacity, once) if name.startswith("tcp:") else UDP(host, port, capacity, records)
    return source.start()


def _host_and_port(name):
    try:
        parts = urllib.parse.urlsplit(name)
        port = parts.port
    except ValueError:
        parts, port = None, None
    if port is None or parts.path or parts.query or parts.username is not None:
        raise ConfigError(f"{name}: is no address to listen on; write e.g. {name.partition(':')[0]}://127.0.0.1:5000, "
                          "with port 0 for any that is free")
    return parts.hostname or _LOOPBACK, port


def arrivals(source, decoder, timeout):
    """Decode what comes from a source until it ends; yields `Arrivals`, and None where nothing came for ``timeout`` s.

    Raises what keeps the source from being read on, after all that came before.
    """
    while True:
        pieces = source.take(MOST_TAKEN, timeout)
        if not pieces:
            if source.ended:
                yield decoder.end()
                return
            yield None
        elif source.datagrams:
            yield decoder.datagrams(pieces)
        else:
            yield from _connected(pieces, decoder)


def _connected(pieces, decoder):
    """Decode the bytes of one client or of several, one after the other."""
    while END in pieces:
        i = pieces.index(END)
        yield decoder.feed(b"".join(pieces[:i]))
        yield decoder.end(lost=True)
        pieces = pieces[i + 1 :]
    yield decoder.feed(b"".join(pieces))

"""Streams from the network: we listen, others send."""

import contextlib
import socket
import struct
import sys

from eventsim.data.streams.base import END, POLL, Source
from eventsim.errors import ConfigError

_CHUNK = 1 << 16  # bytes: the largest datagram, and more than most connections have ready
_SYSTEM_BUFFER = 1 << 22  # bytes that the system is asked to hold; it may give less
_SO_RXQ_OVFL = 40  # Linux: every datagram comes with the number of those that the system dropped before it


def _listening(scheme, host, port, kind):
    """A bound socket, and its address as we write it."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=kind, flags=socket.AI_PASSIVE)[0]
        with contextlib.ExitStack() as undo:
            found = undo.enter_context(socket.socket(family, kind))
            if kind == socket.SOCK_STREAM:
                found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            found.bind(address)
            found.settimeout(POLL)
            undo.pop_all()
    except (OSError, OverflowError) as error:  # the second for a port that is none
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(f"{scheme}://{host}:{port}: cannot be listened on ({reason}); choose another host or port") \
            from None
    shown = f"[{host}]" if ":" in host else host
    return found, f"{scheme}://{shown}:{found.getsockname()[1]}"


class UDP(Source):
    """Datagrams; nobody can be held back, so those that find the buffer full are dropped and counted."""

    datagrams = True

    def __init__(self, host, port, capacity, records=len):
        self._socket, name = _listening("udp", host, port, socket.SOCK_DGRAM)
        super().__init__(name, capacity)
        self._records = records
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SYSTEM_BUFFER)
        self._tells_losses = sys.platform == "linux"
        if self._tells_losses:
            self._socket.setsockopt(socket.SOL_SOCKET, _SO_RXQ_OVFL, 1)

    def read(self):
        with self._socket:
            while not self.closing:
                try:
                    data = self._receive()
                except TimeoutError:
                    continue
                if data and not self.offer(data):
                    self.dropped_datagrams += 1
                    self.dropped_events += self._records(data)

    def _receive(self):
        if not self._tells_losses:
            return self._socket.recv(_CHUNK)
        data, extra, _, _ = self._socket.recvmsg(_CHUNK, socket.CMSG_SPACE(4))
        for level, kind, value in extra:
            if (level, kind) == (socket.SOL_SOCKET, _SO_RXQ_OVFL):
                (self.lost_datagrams,) = struct.unpack("I", value[:4])
        return data


class TCP(Source):
    """Clients, one after the other, each of which is held back where we are slower; with ``once`` only the first."""

    def __init__(self, host, port, capacity, once=False):
        self._socket, name = _listening("tcp", host, port, socket.SOCK_STREAM)
        super().__init__(name, capacity)
        self._once = once
        self._socket.listen()

    def read(self):
        with self._socket:
            while not self.closing:
                try:
                    client, _ = self._socket.accept()
                except TimeoutError:
                    continue
                self.clients += 1
                with client:
                    self._serve(client)
                if self._once:
                    return
                self.put(END)

    def _serve(self, client):
        client.settimeout(POLL)
        while not self.closing:
            try:
                data = client.recv(_CHUNK)
            except TimeoutError:
                continue
            except ConnectionError:  # it went away without a word
                return
            if not data:
                return
            self.put(data)

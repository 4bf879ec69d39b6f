"""What every source of a stream is: a thread that reads, and a buffer of bounded size between it and us."""

import collections
import threading

from eventsim.errors import EventsimError, FormatError

# Stands in the buffer where a connection ended and another may begin.
END = None
# Bytes that a piece takes beside what is in it, so that many small ones are bounded, too.
_OVERHEAD = 64
# s between two looks at whether it shall stop, of a reader that waits for the system.
POLL = 0.05


class Source:
    """Bytes that come from elsewhere; a kind of source gives `read`.

    Attributes
    ----------
    name : what messages call it
    datagrams : whether every piece is a datagram
    backlog : the most bytes that ever waited
    dropped_datagrams, dropped_events : of those that found the buffer full
    lost_datagrams : of those that the system had no room for (where it says so)
    clients : connections so far
    """

    datagrams = False
    patience = 1.0  # s that a reader is given to end

    def __init__(self, name, capacity):
        self.name, self.capacity = name, capacity
        self.backlog = self.dropped_datagrams = self.dropped_events = self.lost_datagrams = self.clients = 0
        self._pieces, self._size = collections.deque(), 0
        self._changed = threading.Condition()
        self._done, self._error = False, None
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name=f"reader of {name}", daemon=True)

    def read(self):
        """Put what comes into the buffer until there is no more, or `closing`; in the reader's thread."""
        raise NotImplementedError

    def start(self) -> "Source":
        """Let the reader begin; returns the source."""
        self._thread.start()
        return self

    def close(self):
        """Stop the reader; what waits is lost. One that the system does not let go ends with the process."""
        self._closing.set()
        with self._changed:
            self._changed.notify_all()
        self._thread.join(self.patience)

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        self.close()

    @property
    def closing(self) -> bool:
        """Whether the reader shall stop."""
        return self._closing.is_set()

    @property
    def ended(self) -> bool:
        """Whether nothing waits and nothing comes any more."""
        with self._changed:
            return self._done and not self._pieces

    def pause(self):
        """Let the reader rest for a moment, or until it shall stop."""
        self._closing.wait(POLL)

    def put(self, piece):
        """Hand over a piece, once there is room for it."""
        size = _size_of(piece)
        with self._changed:
            self._changed.wait_for(lambda: self._has_room(size) or self.closing)
            self._append(piece, size)

    def offer(self, piece) -> bool:
        """Hand over a piece if there is room for it at once."""
        size = _size_of(piece)
        with self._changed:
            fits = self._has_room(size)
            if fits:
                self._append(piece, size)
            return fits

    def take(self, most, timeout) -> list:
        """Pieces that wait, up to about ``most`` bytes; none where nothing comes within ``timeout`` s.

        A piece is bytes, or `END`. Raises what stopped the reader, after everything that it had read.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._pieces or self._done, timeout)
            taken = []
            while self._pieces and most > 0:
                piece = self._pieces.popleft()
                size = _size_of(piece)
                self._size -= size
                most -= size
                taken.append(piece)
            self._changed.notify_all()
            if not taken and self._error is not None:
                raise self._error
            return taken

    def _has_room(self, size):
        return not self._pieces or self._size + size <= self.capacity

    def _append(self, piece, size):
        self._pieces.append(piece)
        self._size += size
        self.backlog = max(self.backlog, self._size)
        self._changed.notify_all()

    def _work(self):
        try:
            self.read()
        except EventsimError as error:
            self._error = error
        except OSError as error:
            self._error = FormatError(f"{self.name}: cannot be read on ({error.strerror or error})")
        finally:
            with self._changed:
                self._done = True
                self._changed.notify_all()


def _size_of(piece):
    return _OVERHEAD + (len(piece) if piece is not END else 0)

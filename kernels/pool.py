"""Threads that run kernels. They are started once and then wait, since kernels take no longer than waking them does.

An executor of the standard library makes an object with locks for every call; that took as long as the waking itself.
"""

import os
import sys
import threading
from queue import SimpleQueue


class _Pool:
    """Threads that serve one queue of jobs; there are as many as were ever wanted at once."""

    def __init__(self):
        self._jobs = SimpleQueue()
        self._starting = threading.Lock()
        self._n_threads = 0

    def _serve(self):
        while True:
            job, done = self._jobs.get()
            try:
                job()
                done.put(None)
            except BaseException as error:  # raised again where the job came from
                done.put(error)
            del job, done  # a waiting thread holds on to nothing

    def hand_out(self, job, n):
        """Have up to ``n`` threads call ``job``: their number, and a queue that gets None or an error from each.

        They are fewer where the system lets no more threads start.
        """
        with self._starting:
            while self._n_threads < n:
                thread = threading.Thread(target=self._serve, name=f"eventsim-{self._n_threads + 1}", daemon=True)
                try:
                    thread.start()
                except RuntimeError:
                    break
                self._n_threads += 1
        n, done = min(n, self._n_threads), SimpleQueue()
        for _ in range(n):
            self._jobs.put((job, done))
        return n, done


_pools = [_Pool()]
if hasattr(os, "register_at_fork"):
    # A forked child has the pool but not its threads, and would wait for them for ever.
    os.register_at_fork(after_in_child=lambda: _pools.__setitem__(0, _Pool()))


def run_on(n: int, job):
    """Call ``job`` on up to ``n`` threads at once, this one among them, and return when all are done.

    Raises what one of the calls raised, or an interruption, after all have ended.
    """
    if sys.is_finalizing():  # other threads do not run any more
        job()
        return
    helpers, done = _pools[0].hand_out(job, n - 1)
    errors = []
    try:
        job()
    except BaseException as error:
        errors.append(error)
    while helpers > 0:
        try:
            errors.append(done.get())
            helpers -= 1
        except KeyboardInterrupt as error:  # they still write into what the caller would go on with
            errors.append(error)
    for error in errors:
        if error is not None:
            raise error

"""Threads of the pool: errors, interruptions, and systems that let none start."""

import threading

import pytest

from eventsim.kernels import pool


@pytest.fixture
def fresh(monkeypatch):
    monkeypatch.setattr(pool, "_pools", [pool._Pool()])


@pytest.mark.parametrize("n", [1, 2, 5])
def test_a_job_runs_on_as_many_threads(fresh, n):
    together, seen = threading.Barrier(n), set()

    def job():
        together.wait(10)
        seen.add(threading.get_ident())

    for _ in range(3):
        pool.run_on(n, job)
    assert len(seen) == n and threading.get_ident() in seen


def test_an_error_of_any_thread_is_raised_when_all_are_done(fresh):
    ended = []

    def job():
        if threading.current_thread() is not threading.main_thread():
            ended.append(1)
            raise KeyError("lost")

    with pytest.raises(KeyError, match="lost"):
        pool.run_on(3, job)
    assert len(ended) == 2
    pool.run_on(3, lambda: ended.append(2))
    assert ended.count(2) == 3


def test_where_no_thread_can_start_the_caller_does_the_work(fresh, monkeypatch):
    calls = []
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", lambda self: (_ for _ in ()).throw(RuntimeError("no new thread")))
        pool.run_on(3, lambda: calls.append(1))
    assert calls == [1]
    pool.run_on(3, lambda: calls.append(2))  # possible again
    assert calls.count(2) == 3


def test_an_interruption_waits_for_the_threads(fresh, monkeypatch):
    release, finished = threading.Event(), []

    class Interrupted(pool.SimpleQueue):
        pressed = False

        def get(self):
            if threading.current_thread() is threading.main_thread() and not Interrupted.pressed:
                Interrupted.pressed = True
                release.set()
                raise KeyboardInterrupt
            return super().get()

    def job():
        if threading.current_thread() is not threading.main_thread():
            release.wait(10)
            finished.append(1)

    monkeypatch.setattr(pool, "SimpleQueue", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        pool.run_on(2, job)
    assert finished == [1]

"""The boundary to the kernels: what it refuses, and that the number of threads changes nothing."""

import os
import re
import subprocess
import sys

import numpy as np
import pytest

from eventsim import kernels
from eventsim.kernels.launch import call, call_parts, set_threads, threads
from eventsim.kernels.spec import KERNELS


def good():
    """Arguments that the kernel accepts: one sample with one spike of neuron 0 of 1 at tick 3."""
    return {
        "block": 0, "block_samples": 1, "n_ticks": 9, "sample_ptr": np.array([0, 1]), "address": np.zeros(1, np.int32),
        "tick": np.full(1, 3, np.int32), "neuron_end": (1,), "neuron_ptr": np.empty((1, 2), np.int64),
        "row": np.zeros(1, np.int32),
    }


ARRAYS = [a for a in KERNELS["group_by_address"].arguments if isinstance(good()[a.name], np.ndarray)]


def run(**changed):
    return call("group_by_address", **good() | changed)


def test_good_arguments_pass_and_outputs_are_written():
    row = np.zeros(1, np.int32)
    assert run(row=row) == 0
    assert row[0] == 3


@pytest.mark.parametrize("name", [a.name for a in ARRAYS])
@pytest.mark.parametrize("wrong", ["dtype", "rank", "strided", "list", "none", "byte order"])
def test_what_is_not_the_array_of_the_table_is_refused_by_name(name, wrong):
    array = good()[name]
    value = {
        "dtype": array.astype(np.float32), "rank": array[None], "strided": np.repeat(array, 4, axis=-1)[..., ::2],
        "list": array.tolist(), "none": None, "byte order": array.astype(array.dtype.newbyteorder()),
    }[wrong]
    sentence = f"wants a C-contiguous {array.dtype} array of {array.ndim} axes, got "
    with pytest.raises(TypeError, match=f"^kernel group_by_address, argument {name}: {sentence}.+$"):
        run(**{name: value})


@pytest.mark.parametrize("argument", ARRAYS, ids=lambda a: a.name)
def test_only_what_is_written_must_be_writable(argument):
    array = good()[argument.name]
    array.flags.writeable = False
    if argument.role == "out":
        sentence = f"kernel group_by_address writes its argument {argument.name}, got a read-only array"
        with pytest.raises(TypeError, match=f"^{sentence}$"):
            run(**{argument.name: array})
    else:
        assert run(**{argument.name: array}) == 0


@pytest.mark.parametrize("wrong", [1, (1, 2), [1], None, np.zeros(1, np.int64)], ids=repr)
def test_scratch_is_given_as_a_shape(wrong):
    with pytest.raises(TypeError, match=r"argument neuron_end: is scratch; wants a shape of 1 axes, got "):
        run(neuron_end=wrong)


def test_arguments_are_given_by_their_names():
    with pytest.raises(TypeError, match=r"^kernel group_by_address lacks row$"):
        call("group_by_address", **{name: value for name, value in good().items() if name != "row"})
    with pytest.raises(TypeError, match=r"^kernel group_by_address has no argument rows$"):
        run(rows=good()["row"])
    with pytest.raises(KeyError):
        call("no_such_kernel")


def test_one_wrong_part_stops_all_before_the_first_runs():
    row = np.zeros(1, np.int32)
    with pytest.raises(TypeError, match="argument tick"):
        call_parts("group_by_address", {}, [good() | {"row": row}, good() | {"tick": None}])
    assert row[0] == 0


@pytest.mark.parametrize("n_threads", [1, 2, 5])
def test_parts_come_back_in_their_order(n_threads):
    sizes = [5, 1, 40, 0, 3, 17, 2]
    outs = [np.full(40, -1, np.int32) for _ in sizes]
    shared = {name: good()[name] for name in ("block", "block_samples", "n_ticks", "neuron_end")}
    parts = [
        {"sample_ptr": np.array([0, n]), "address": np.zeros(n, np.int32), "tick": np.arange(n, dtype=np.int32),
         "neuron_ptr": np.empty((1, 2), np.int64), "row": row}
        for n, row in zip(sizes, outs, strict=True)
    ]
    set_threads(n_threads)
    try:
        assert call_parts("group_by_address", shared, parts) == [0] * len(sizes)
    finally:
        set_threads(None)
    for n, row in zip(sizes, outs, strict=True):
        assert row.tolist() == [*range(n), *[-1] * (40 - n)]


def test_no_parts_are_no_work():
    assert call_parts("group_by_address", {}, []) == []


def test_threads_come_from_the_setting_then_the_environment_then_the_machine(monkeypatch):
    try:
        set_threads(3)
        assert threads() == kernels.threads() == 3
        set_threads(None)
        monkeypatch.setenv("EVENTSIM_THREADS", "7")
        assert threads() == 7
        set_threads(None)
        monkeypatch.delenv("EVENTSIM_THREADS")
        assert threads() == kernels.launch.available_cores()
    finally:
        set_threads(None)


def test_every_argument_line_of_the_table_was_understood():
    for name, kernel in KERNELS.items():
        for argument in kernel.arguments:
            assert re.fullmatch("[a-z_0-9]+", argument.name), name
            assert argument.role in ("in", "out", "scratch"), name
            known = ("bool", "int8", "uint8", "uint16", "uint32", "int32", "uint64", "int64", "float32", "float64")
            assert all(dtype.name in known for dtype in argument.dtypes), name


_FORK = """
import os
import numpy as np
import eventsim as es
from eventsim import kernels
kernels.set_threads(2)
network = es.Network("8x8x1-200-4", n_ticks=20)
events = es.Events(np.arange(20) * 1000, np.arange(20) % 8, np.zeros(20, int), np.zeros(20, int), es.Sensor(8, 8, 1))
network.simulate(events)
child = os.fork()
if child == 0:
    network.simulate(events)
    os._exit(0)
print(os.waitpid(child, 0)[1])
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_forked_child_computes_too():
    """It has the parent's pool but not its threads."""
    done = subprocess.run([sys.executable, "-c", _FORK], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "0", done.stderr


@pytest.mark.parametrize("value", [0, -1, 1.5, True, "x", 10**20])
def test_a_nonsense_number_of_threads_is_refused(value):
    with pytest.raises(ValueError, match="threads"):
        set_threads(value)
    assert threads() >= 1


@pytest.mark.parametrize("text", ["0", "-2", "many", "", "\u00b2"])
def test_a_nonsense_environment_is_refused(monkeypatch, text):
    monkeypatch.setenv("EVENTSIM_THREADS", text)
    set_threads(None)
    with pytest.raises(ValueError, match="EVENTSIM_THREADS"):
        threads()

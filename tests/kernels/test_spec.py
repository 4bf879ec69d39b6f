"""The table of kernels against the functions, and the one place that compiles them."""

import ast
import importlib
import inspect
import pathlib

import pytest

from eventsim.kernels.spec import KERNELS

SOURCES = sorted((pathlib.Path(__file__).parents[2] / "kernels" / "cpu").glob("*.py"))


def compiled(tree):
    """Names of the functions of a file that ``@kernel`` compiles, and machine operations."""
    marks = {"kernel", "intrinsic"}
    return [
        node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)
        and marks & {getattr(mark, "id", "") for mark in node.decorator_list}
    ]


def test_there_are_kernels():
    assert KERNELS and SOURCES


@pytest.mark.parametrize("name", KERNELS)
def test_a_kernel_stands_in_its_file_with_the_arguments_of_the_table(name):
    module = importlib.import_module(f"eventsim.kernels.cpu.{KERNELS[name].file}")
    function = getattr(module, name).py_func
    assert function.__module__ == module.__name__
    assert [a.name for a in KERNELS[name].arguments] == list(inspect.signature(function).parameters)


@pytest.mark.parametrize("name", KERNELS)
def test_what_a_kernel_writes_stands_last(name):
    roles = [("in", "scratch", "out").index(a.role) for a in KERNELS[name].arguments]
    assert roles == sorted(roles) and 2 in roles
    assert all(a.rank > 0 for a in KERNELS[name].arguments if a.role != "in")


def test_every_public_function_is_in_the_table_or_helps_another():
    trees = {path: ast.parse(path.read_text()) for path in SOURCES}
    assert set(KERNELS) <= {name for tree in trees.values() for name in compiled(tree)}
    used = {node.id for tree in trees.values() for node in ast.walk(tree) if isinstance(node, ast.Name)}
    idle = [
        f"{path.name}: {name}" for path, tree in trees.items() for name in compiled(tree)
        if name not in KERNELS and name not in used
    ]
    assert idle == []


def returned(module, name):
    """What a kernel returns, or the function that it hands its arguments to."""
    for node in ast.walk(ast.parse(inspect.getsource(getattr(module, name).py_func))):
        if isinstance(node, ast.Return) and isinstance(node.value, ast.Call):
            yield from returned(module, node.value.func.id)
        elif isinstance(node, ast.Return):
            yield getattr(node.value, "id", None)


def test_every_kernel_of_the_table_returns_a_status():
    for name, kernel in KERNELS.items():
        names = set(returned(importlib.import_module(f"eventsim.kernels.cpu.{kernel.file}"), name))
        assert names and names <= {"_OK", "_GROW"}, name


def test_kernels_neither_raise_nor_allocate():
    allocators = {"empty", "zeros", "ones", "full", "empty_like", "zeros_like", "ones_like", "full_like", "copy",
                  "array", "concatenate"}
    seen = 0
    for path in SOURCES:
        for function in ast.walk(ast.parse(path.read_text())):
            marks = {getattr(mark, "id", "") for mark in getattr(function, "decorator_list", [])}
            if "kernel" not in marks:
                continue
            seen += 1
            for node in ast.walk(function):
                where = f"{path.name}, {function.name}, line {getattr(node, 'lineno', 0)}"
                assert not isinstance(node, ast.Raise | ast.Assert | ast.Try | ast.Global), where
                assert not (isinstance(node, ast.Attribute) and node.attr in allocators), where
    assert seen > len(KERNELS)


def test_only_one_file_compiles():
    root = SOURCES[0].parents[2]
    words = ("numba.njit", "numba.jit", "import njit", "import jit", "@njit", "@jit", "prange", "vectorize(")
    found = {
        path.relative_to(root).as_posix()
        for folder in ("eventsim", "kernels", "cli", "data") for path in (root / folder).rglob("*.py")
        if any(word in path.read_text() for word in words)
    }
    assert found == {"kernels/cpu/jit.py"}

"""Who may import whom, how long a file may be, and what importing the package costs."""

import ast
import subprocess
import sys
from collections import Counter

import pytest

# A layer is the longest prefix below that a module's name has; it may import itself and the layers named.
CONTAINERS = ("eventsim.errors", "eventsim.sensor", "eventsim.events", "eventsim.spikes", "eventsim.checks",
              "eventsim.files", "eventsim.hdf5", "eventsim.wording")
KERNEL_LIBRARIES = {"numpy", "numba", "llvmlite", "platformdirs"}
MAY_IMPORT = {
    "containers": set(),
    "eventsim.kernels": set(),
    "eventsim.model": {"containers", "eventsim.kernels.layout", "eventsim.kernels.memory"},
    "eventsim.data": {"containers", "eventsim.kernels"},
    # A recording becomes spikes where it is simulated, and samples where a network is trained.
    "eventsim.engine": {"containers", "eventsim.kernels", "eventsim.model", "eventsim.data"},
    "eventsim.trainer": {"containers", "eventsim.kernels", "eventsim.model", "eventsim.data", "eventsim.engine"},
    "eventsim.profile": {"containers", "eventsim.kernels", "eventsim.model", "eventsim.data", "eventsim.engine",
                         "eventsim.trainer"},
    "eventsim.pretrained": {"containers"},
    "eventsim.exchange": {"containers", "eventsim.model", "eventsim.engine", "eventsim.trainer"},
    "eventsim.recipes": {"containers", "eventsim.model", "eventsim.trainer", "eventsim.exchange"},
    "eventsim.report": {"containers", "eventsim.model", "eventsim.data", "eventsim.engine", "eventsim.trainer",
                        "eventsim.profile"},
    "eventsim.plot": {"containers", "eventsim.model", "eventsim.engine", "eventsim.report.numbers",
                      "eventsim.report.sampling"},
    "eventsim.bench": {"containers", "eventsim.kernels", "eventsim.model", "eventsim.data", "eventsim.engine",
                       "eventsim.trainer"},
    "eventsim.cli": {"eventsim", "containers", "eventsim.kernels", "eventsim.model", "eventsim.data",
                     "eventsim.engine", "eventsim.trainer", "eventsim.profile", "eventsim.pretrained",
                     "eventsim.recipes", "eventsim.exchange", "eventsim.report", "eventsim.bench", "eventsim.plot"},
    "eventsim": set(),
}
FOLDERS = {"eventsim": "eventsim", "cli": "eventsim.cli", "data": "eventsim.data", "kernels": "eventsim.kernels"}
MOST_LINES = 400


def sources(root):
    """Pairs (module name, path) of every file of the package."""
    out = []
    for folder, package in FOLDERS.items():
        for path in sorted((root / folder).rglob("*.py")):
            parts = path.relative_to(root / folder).with_suffix("").parts
            out.append((".".join([package, *(p for p in parts if p != "__init__")]), path))
    assert len(out) > 30
    return out


def layer_of(module):
    if module.startswith(CONTAINERS):
        return "containers"
    fitting = [name for name in MAY_IMPORT if module == name or module.startswith(name + ".")]
    return max(fitting, key=len)


def imports(path, everywhere=False):
    """Modules that a file imports, as (line, name), at module level or everywhere; ``from a import b`` is ``a.b``."""
    def walk(node):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                yield from ((child.lineno, alias.name) for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                start = "." * child.level + (child.module or "")
                yield from ((child.lineno, f"{start}.{alias.name}") for alias in child.names)
            elif everywhere or not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                yield from walk(child)

    return list(walk(ast.parse(path.read_text())))


def allowed(module, name):
    """May ``module`` import ``name``?"""
    own, target = layer_of(module), layer_of(name)
    if own == target or target in MAY_IMPORT[own]:
        return True
    if target == "eventsim":  # `from eventsim import checks` names eventsim.checks
        return False
    return any(name == entry or name.startswith(entry + ".") for entry in MAY_IMPORT[own])


def test_imports_go_one_way(root):
    wrong = [
        f"{module}, line {line}: {name}" for module, path in sources(root) for line, name in imports(path)
        if name.startswith(".") or (name.split(".")[0] == "eventsim" and not allowed(module, name))
    ]
    assert wrong == []


@pytest.mark.parametrize("module, name, fine", [
    ("eventsim.cli.train", "eventsim.trainer.Trainer", True), ("eventsim.trainer.loop", "eventsim.cli.main", False),
    ("eventsim.model.network", "eventsim.engine.forward", False), ("eventsim.model.layers.dense",
                                                                   "eventsim.kernels.layout.TILE", True),
    ("eventsim.model.network", "eventsim.kernels.call", False), ("eventsim.data.loader", "eventsim.model.SRM", False),
    ("eventsim.kernels.launch", "eventsim.errors.ConfigError", False), ("eventsim.spikes", "eventsim.checks", True),
    ("eventsim.events", "eventsim.data.read", False), ("eventsim.data.loader", "eventsim.kernels", True),
    ("eventsim.engine.forward", "eventsim.trainer.loop", False), ("eventsim.kernels.spec", "eventsim.kernels.x", True),
])
def test_the_rule_itself_tells_right_from_wrong(module, name, fine):
    assert allowed(module, name) is fine


def test_kernels_import_a_few_libraries_and_nothing_of_the_package(root):
    wrong = []
    for module, path in sources(root):
        if layer_of(module) != "eventsim.kernels":
            continue
        for line, name in imports(path, everywhere=True):
            top = name.split(".")[0]
            own = name == "eventsim.kernels" or name.startswith("eventsim.kernels.")
            if not own and top not in KERNEL_LIBRARIES | {"cupy"} and top not in sys.stdlib_module_names:
                wrong.append(f"{module}, line {line}: {name}")
            if top == "cupy" and (line, name) in imports(path):
                wrong.append(f"{module}, line {line}: {name} at module level")
    assert wrong == []


def test_nothing_is_imported_by_its_short_name(root):
    everything = [path for _, path in sources(root)] + sorted((root / "tests").rglob("*.py"))
    wrong = [
        f"{path.relative_to(root)}, line {line}: {name}" for path in everything
        for line, name in imports(path, everywhere=True) if name.split(".")[0] in ("kernels", "data", "cli")
    ]
    assert wrong == []


@pytest.mark.parametrize("package", ["eventsim", "eventsim.data", "eventsim.cli"])
def test_importing_loads_neither_compiler_nor_gpu_library(package):
    heavy = "{'numba', 'llvmlite', 'cupy', 'torch', 'matplotlib'}"
    code = f"import sys, {package}; print(sorted({heavy} & {{name.split('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "[]", "")


def test_every_public_name_is_there():
    import eventsim

    assert len(eventsim.__all__) > 5
    for name in eventsim.__all__:
        assert getattr(eventsim, name) is not None
    assert set(eventsim.__all__) <= set(dir(eventsim))
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = eventsim.nonsense


def test_files_are_short(root):
    everything = [path for _, path in sources(root)] + sorted((root / "tests").rglob("*.py"))
    everything += sorted((root / "kernels").rglob("*.cu"))
    long = {
        path.relative_to(root).as_posix(): n for path in everything
        if (n := len(path.read_text().splitlines())) > MOST_LINES
    }
    assert long == {}


def test_naive_references_import_nothing_but_numpy(root):
    files = sorted((root / "tests" / "naive").glob("*.py"))
    assert len(files) > 4
    wrong = [
        f"{path.name}, line {line}: {name}" for path in files for line, name in imports(path, everywhere=True)
        if name.split(".")[0] not in {"numpy", "naive"} | set(sys.stdlib_module_names)
    ]
    assert wrong == []


def test_every_test_is_collected(root):
    """pytest sees test_*.py, and of two functions of one name in a file only the second."""
    problems = []
    for path in sorted((root / "tests").rglob("*.py")):
        tests = [
            node.name for node in ast.parse(path.read_text()).body
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test")
        ]
        if tests and not path.name.startswith("test_"):
            problems.append(f"{path.relative_to(root)} is not collected")
        problems += [f"{path.relative_to(root)}: two {name}" for name, n in Counter(tests).items() if n > 1]
    assert problems == []

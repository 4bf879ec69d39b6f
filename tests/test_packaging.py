"""What is installed: every folder with an ``__init__.py`` is named in pyproject.toml, and every file lies in one."""

import tomllib

import pytest

FOLDERS = {"eventsim": "eventsim", "eventsim.cli": "cli", "eventsim.data": "data", "eventsim.kernels": "kernels"}


@pytest.fixture
def setuptools(root):
    return tomllib.loads((root / "pyproject.toml").read_text())["tool"]["setuptools"]


def package_of(root, folder):
    """Import name of a folder under one of the mapped ones."""
    for name, mapped in FOLDERS.items():
        if folder.is_relative_to(root / mapped):
            return ".".join([name, *folder.relative_to(root / mapped).parts])
    raise AssertionError(folder)


def files(root, pattern):
    found = [
        path for mapped in FOLDERS.values() for path in sorted((root / mapped).rglob(pattern))
        if "__pycache__" not in path.parts
    ]
    return found


def test_the_mapping_is_that_of_the_top_level_folders(setuptools):
    assert setuptools["package-dir"] == FOLDERS


def test_the_packages_listed_are_the_folders_with_an_init(root, setuptools):
    found = sorted(package_of(root, path.parent) for path in files(root, "__init__.py"))
    assert len(found) > 10
    assert setuptools["packages"] == found  # in this order, too


def test_every_file_lies_in_a_listed_package(root, setuptools):
    stray = [
        path.relative_to(root).as_posix() for path in files(root, "*.py")
        if package_of(root, path.parent) not in setuptools["packages"]
    ]
    assert stray == []


def test_every_file_that_is_not_python_is_package_data(root, setuptools):
    data = setuptools.get("package-data", {})
    listed = set()
    for package, patterns in data.items():
        assert package in setuptools["packages"], package
        folder = root / FOLDERS[package] if package in FOLDERS else None
        for name in sorted(FOLDERS, key=len):
            if package.startswith(name + "."):
                folder = root / FOLDERS[name] / package.removeprefix(name + ".").replace(".", "/")
        for pattern in patterns:
            matched = set(folder.glob(pattern))
            assert matched, f"{package}: no file matches {pattern}"
            listed |= matched
    others = {path for path in files(root, "*") if path.is_file() and path.suffix not in (".py", ".pyc")}
    assert sorted(others - listed) == []


def test_the_top_level_holds_what_it_should(root):
    visible = {path.name for path in root.iterdir() if not path.name.startswith(".")}
    made = {"eventsim.egg-info", "build", "dist", "runs", "sample.bin"}
    allowed = {"LICENSE", "README.md", "cli", "data", "eventsim", "kernels", "pyproject.toml", "tests"}
    assert visible - made <= allowed

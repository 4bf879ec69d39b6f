"""What pictures share: formats, files, and what is said where matplotlib is missing."""

import subprocess
import sys

import pytest

from eventsim import plot
from eventsim.errors import ConfigError
from eventsim.plot import canvas


@pytest.mark.parametrize(("name", "begins"), [("a.png", b"\x89PNG"), ("a.SVG", b"<?xml"), ("b.c.pdf", b"%PDF")])
def test_the_name_says_the_format(tmp_path, name, begins):
    figure = canvas.new_figure(2, 1)
    figure.subplots().plot([0, 1])
    plot.save(figure, tmp_path / name)
    assert (tmp_path / name).read_bytes().startswith(begins)
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ["a.gif", "png", "a"])
def test_other_names_are_refused(tmp_path, name):
    with pytest.raises(ConfigError, match=r"ends in \.png, \.svg, \.pdf"):
        plot.save(canvas.new_figure(2, 1), tmp_path / name)


def test_only_figures_are_saved(tmp_path):
    with pytest.raises(ConfigError, match="saved of a figure, got int"):
        plot.save(1, tmp_path / "a.png")


def test_what_fails_leaves_the_earlier_picture(tmp_path, monkeypatch):
    (tmp_path / "a.png").write_bytes(b"mine")
    figure = canvas.new_figure(2, 1)

    def fails(path, **_):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(figure, "savefig", fails)
    with pytest.raises(ConfigError, match=r"a\.png: cannot be written \(No space left"):
        plot.save(figure, tmp_path / "a.png")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"mine"]


def test_without_matplotlib_a_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ConfigError, match=r'pip install "eventsim\[plot\]"'):
        plot.curves({"a": [{"epoch": 1, "loss": 1.0, "accuracy": 0.5, "rates": [1.0], "silent": [0.0]}]})


def test_no_figure_is_left_in_pyplot():
    code = (
        "import sys\nfrom eventsim import plot\n"
        "plot.curves([{'epoch': 1, 'loss': 1.0, 'accuracy': 0.5, 'rates': [1.0], 'silent': [0.0]}])\n"
        "assert 'matplotlib' in sys.modules and 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)

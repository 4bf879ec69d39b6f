"""README cannot go stale: its example runs, its commands exist, every command is in it."""

import re
import shlex

import pytest

import eventsim as es
from eventsim.cli import main
from eventsim.data.synthetic import SyntheticDigits


@pytest.fixture
def readme(root):
    """The text, without placeholders."""
    text = (root / "README.md").read_text()
    assert not re.search(r"^(SESSION|FIGURES|TODO)", text, re.M)
    return text


def test_the_python_examples_run(readme, tmp_path, monkeypatch, capsys):
    """One after the other: the second goes on from the first."""
    blocks = re.findall(r"```python\n(.*?)```", readme, re.S)
    assert len(blocks) >= 2
    assert all(len([line for line in code.splitlines() if line.strip()]) <= 10 for code in blocks)
    monkeypatch.chdir(tmp_path)
    es.write("sample.bin", SyntheticDigits(1, seed=9).events(0))
    code = "".join(blocks).replace("train=400, validation=100", "train=24, validation=8")
    exec(compile(code, "README.md", "exec"), {})
    out = capsys.readouterr().out
    for word in ("class", "SynOps", "more output spikes", "at the end"):
        assert word in out


def test_every_command_is_described(readme):
    for name in main.table:
        assert f"`eventsim {name}" in readme


def test_the_commands_shown_take_these_options(readme):
    """Every command line in README parses: its command exists and knows the options that it is given."""
    lines = re.findall(r"^    (?:\$ )?(?:.*&& )?(?:\.venv/bin/)?eventsim (.+)$", readme, re.M)
    assert len(lines) >= 4
    for line in lines:
        name, *arguments = shlex.split(line.split("#")[0].split("|")[0].split("&&")[0])
        command = main.get_command(None, name)
        command = command.commands[arguments[0]] if hasattr(command, "commands") else command
        known = {flag for parameter in command.params for flag in parameter.opts}
        assert {a for a in arguments if a.startswith("--")} <= known, line


@pytest.mark.parametrize("which", ["main", "test"])
def test_each_set_up_is_one_command(readme, which):
    block = re.search(rf"<!-- {which} command -->(.*?)<!-- end -->", readme, re.S)[1]
    lines = [line for line in block.splitlines() if line.strip()]
    assert len(lines) == 1
    assert lines[0].startswith("    python3 -m venv .venv && .venv/bin/pip install")

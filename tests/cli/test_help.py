"""Help: every command has it, with an example, and asking for it loads nothing heavy."""

import subprocess
import sys

import click
import pytest

from eventsim.cli import COMMANDS, main


def command(name):
    return main.get_command(click.Context(main), name)


def parts(name):
    """(words, command) of a command, or of every one of a group's."""
    found = command(name)
    if isinstance(found, click.Group):
        return [((name, part), found.commands[part]) for part in found.commands]
    return [((name,), found)]


@pytest.mark.parametrize("name", COMMANDS)
class TestEveryCommand:
    def test_has_help_with_an_example_of_itself(self, call, name):
        text = call(name, "--help")
        assert text == call(name, "-h")
        assert f"\n    eventsim {name}" in text.split("Example")[1] or f"&& eventsim {name}" in text

    def test_is_listed_with_the_first_line_of_its_help(self, name):
        assert command(name).help.splitlines()[0] == COMMANDS[name]

    def test_says_what_every_option_is_for(self, name):
        for _, part in parts(name):
            for parameter in part.params:
                if isinstance(parameter, click.Option):
                    assert parameter.help, parameter.name

    def test_fits_eighty_columns(self, call, name):
        for words in ((name,), *(words for words, _ in parts(name))):
            assert max(map(len, call(*words, "--help").splitlines())) <= 80

    def test_has_a_machine_readable_form(self, name):
        for _, part in parts(name):
            assert any("--json" in parameter.opts for parameter in part.params)

    def test_every_part_of_a_group_has_an_example_and_a_line(self, call, name):
        for words, part in parts(name):
            text = call(*words, "--help")
            assert f"eventsim {' '.join(words)} " in text.split("Example")[1]
            if len(words) > 1:
                assert f"  {words[-1]} " in call(name, "--help")
                assert "..." not in part.get_short_help_str(60)


def test_group_help_lists_every_command(call):
    text = call("--help")
    assert text == call("-h") == call()
    for name, line in COMMANDS.items():
        assert f"  {name} " in text and line in text


def test_version(call):
    import eventsim

    assert call("--version") == f"eventsim {eventsim.__version__}\n"


def test_group_help_imports_no_heavy_module():
    code = (
        "import sys\nfrom eventsim.cli import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "print(*sorted({'numba', 'numpy', 'h5py', 'rich', 'cupy'} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.startswith("Usage: eventsim") and done.stderr.strip() == ""


def test_unknown_command_names_the_commands(refuse):
    message = refuse("simulat")
    assert "simulat" in message and all(name in message for name in COMMANDS)


def test_unknown_option_points_to_the_help(refuse):
    assert refuse("info", "smlp", "--jsonn").endswith("see `eventsim info --help`")


def test_missing_argument_points_to_the_help(refuse):
    assert "`eventsim simulate --help`" in refuse("simulate")

"""The network that comes with the package: commands use it where there is no run, or by its name."""

import pytest

from eventsim import pretrained

PATH = str(pretrained.path())


def test_simulate_needs_no_training(call, tmp_path):
    call("generate", "sample.bin", "--digit", 7)
    figures = call("simulate", "sample.bin", "--json")
    assert figures["model"] == PATH and figures["class"] == 7
    assert "nmnist, which comes with eventsim (34x34x2-" in call("simulate", "sample.bin")


def test_a_run_goes_before_it(call, run, recording):
    assert call("simulate", recording, "--json")["model"] == str(run)
    assert call("simulate", recording, "--model", "nmnist", "--json")["model"] == PATH


def test_a_folder_of_its_name_goes_before_it(call, run, recording):
    run.rename("nmnist")
    assert call("simulate", recording, "--model", "nmnist", "--json")["model"] == "nmnist"


def test_a_data_set_of_its_name_does_not(call, tree, here, recording):
    """As `eventsim download nmnist` makes it."""
    (here / "nmnist").symlink_to(tree)
    assert call("simulate", recording, "--model", "nmnist", "--json")["model"] == PATH
    assert call("info", "nmnist", "--json")["kind"] == "model"
    assert call("info", "nmnist/", "--json")["kind"] == "dataset"


def test_profile_evaluate_and_follow(call, tree, recording):
    assert call("profile", recording, "--json")["model"] == PATH
    figures = call("evaluate", "nmnist", "--data", tree, "--json")
    assert figures["model"] == PATH and figures["samples"] == 20
    assert "class" in call("simulate", "--follow", "-", "--codec", "nmnist", stdin=recording.read_bytes()).lower()


def test_evaluate_asks_for_data(refuse):
    assert "name a data set (evaluate RUN --data PATH" in refuse("evaluate", "nmnist")


def test_info_prints_its_card(call):
    text = call("info", "nmnist")
    assert "## Accuracy" in text and "## Licence" in text and PATH in text
    assert call("info", "nmnist", "--json")["card"] == pretrained.card()


@pytest.mark.parametrize("command", ["simulate", "profile"])
def test_recordings_of_another_sensor(refuse, command, tmp_path):
    (tmp_path / "a.csv").write_text("0,100,100,1\n")
    message = refuse(command, "a.csv", "--sensor", "128x128")
    assert "128x128" in message and "34x34x2" in message

"""network.yaml: every key is taken over, named or refused."""

import re

import numpy as np
import pytest
from mutations import mutated, outcomes

from eventsim import recipes
from eventsim.errors import ConfigError, FormatError
from eventsim.exchange.slayer import read_description
from eventsim.model import SRM, Network
from eventsim.model.neurons import from_config
from eventsim.trainer import TrainingConfig

GOOD = """
simulation:
    Ts: 1.0
    tSample: 300
    nSample: 12   # samples
neuron:
    type:     SRMALPHA
    theta:    10
    tauSr:    5.0
    tauRef:   1
    scaleRef: 2
    tauRho:   1e-1
    scaleRho: 1
layer:
    - {dim: 34x34x2, wScale: 1}
    - {dim: 12c5}
    - {dim: 2a}
    - {dim: 64c5z, stride: 2, groups: 4}
    - {dim: 10, sigma: 0}
training:
    learning: {etaW: 0.01, lambda: 0}
    error:
        type: NumSpikes
        tgtSpikeRegion: {start: 0, stop: 300}
        tgtSpikeCount: {true: 60, false: 10}
    optimizer: {name: NADAM, beta1: 0.9, beta2: 0.999, epsilon: 1e-8}
    gradAlgo: SLAYER
seed: 3
"""


@pytest.fixture
def written(tmp_path):
    def write(text):
        path = tmp_path / "network.yaml"
        path.write_text(text)
        return path

    return write


def test_every_key_is_taken_over(written):
    found = read_description(written(GOOD))
    assert found.network == {"arch": "34x34x2-12c5-2a-64c5s2p2g4-10", "dt": 1.0, "n_ticks": 300}
    assert SRM(**found.neuron) == SRM(theta=10, tau_syn=5, tau_ref=1, scale_ref=2, tau_rho=0.1, scale_rho=1)
    assert found.training == {"learning_rate": 0.01, "loss": "spike_count_slayer", "true_count": 60.0,
                              "false_count": 10.0, "optimizer": "nadam", "seed": 3}
    assert [note.split(" ")[0] for note in found.notes] == ["simulation.nSample"]


def test_the_file_published_with_slayer_is_read(shared):
    path = shared / "golden" / "slayer_snnData" / "network.yaml"
    if not path.is_file():
        pytest.skip(f"no {path}")
    found = read_description(path)
    assert found.network == {"arch": "250-25-1", "dt": 0.1, "n_ticks": 500}
    assert SRM(**found.neuron) == SRM(theta=10, tau_syn=1, tau_ref=1, scale_ref=2)
    assert found.training["loss"] == "spike_time"


def test_it_is_a_recipe_which_can_be_kept_as_toml(written, tmp_path):
    recipe = recipes.load(written(GOOD.replace("stop: 300", "stop: 200")))
    assert recipe.name == "network" and len(recipe.notes) == 1 and recipe.training["loss_window"] == (0.0, 200.0)
    network = Network(**recipe.network, neuron=from_config({"kind": "srm"} | recipe.neuron), seed=None)
    assert network.n_ticks == 300 and TrainingConfig(**recipe.training).loss_window == (0.0, 200.0)
    (tmp_path / "kept.toml").write_text(recipe.text)
    kept = recipes.load(tmp_path / "kept.toml")
    assert (kept.network, kept.neuron) == (recipe.network, recipe.neuron)
    assert TrainingConfig(**kept.training) == TrainingConfig(**recipe.training)


def test_keys_without_values_are_as_if_left_out(written):
    text = GOOD
    for key, value in (("beta1", "0.9"), ("lambda", "0"), ("gradAlgo", "SLAYER")):
        text = text.replace(f"{key}: {value}", f"{key}: ")
    assert text != GOOD
    assert read_description(written(text)) == read_description(written(GOOD))


def test_files_without_layers_and_training_are_read(written):
    start, end = GOOD.index("layer:"), GOOD.index("training:")
    found = read_description(written(GOOD[:start] + "training:\n"))
    assert "arch" not in found.network and found.training == {}
    assert "arch" not in read_description(written(GOOD[:start] + GOOD[end:])).network


@pytest.mark.parametrize(("old", "new", "note"), [
    ("wScale: 1}", "wScale: 0.5}", "layer[0].wScale 0.5 is not used"),
    ("{dim: 12c5}", "{dim: 12c5, delay: true, maxDelay: 62}", "layer[1].delay is not learned here"),
    ("gradAlgo: SLAYER", "path: {in: x/, train: y}", "training.path is not used; --data names"),
    ("gradAlgo: SLAYER", "stopif: {maxIter: 3}", "training.stopif is not used"),
    ("gradAlgo: SLAYER", "testing: true", "training.testing is not used"),
    ("lambda: 0", "etaD: 0.1", "training.learning.etaD is not used"),
    ("type: NumSpikes", "type: NumSpikes\n        probSlidingWin: 20", "training.error.probSlidingWin is of"),
    ("type: NumSpikes", "type: SpikeTime", "training.error.type SpikeTime: wanted spikes are"),
    ("stop: 300", "stop: 350", "training.error.tgtSpikeRegion ends after the sample"),
    ("seed: 3", "profile: true\npreferredGPU: 1", "preferredGPU chooses a GPU"),
])
def test_what_changes_nothing_here_is_named(written, old, new, note):
    assert old in GOOD
    assert any(one.startswith(note) for one in read_description(written(GOOD.replace(old, new))).notes)


@pytest.mark.parametrize(("old", "new", "said"), [
    ("tauSr:", "tauSR:", r"neuron.tauSR is no setting .*there may stand type, theta, tauSr"),
    ("tauSr:    5.0", "", "neuron.tauSr is missing"),
    ("tauSr:    5.0", "tauSr: fast", "neuron.tauSr must be a number, got 'fast'"),
    ("tauSr:    5.0", "tauSr: true", "neuron.tauSr must be a number, got True"),
    ("tauSr:    5.0", "tauSr: .inf", "neuron.tauSr must be a number, got inf"),
    ("tauSr:    5.0", "tauSr: -1", "neuron parameter tau_syn must be"),
    ("tauSr:    5.0", "tauSr: {a: 1}", "neuron.tauSr must be a number, got a table of 1"),
    ("SRMALPHA", "LOIHI", "neuron.type is 'LOIHI', and eventsim has SLAYER's SRMALPHA"),
    ("Ts: 1.0", "Ts: 0", "simulation.Ts must be a time in ms above 0, got 0"),
    ("Ts: 1.0", "", "simulation.Ts must be a time in ms above 0, got nothing"),
    ("tSample: 300", "tSample: 0.1", "simulation.tSample of 0.1 ms is 0.1 ticks"),
    ("simulation:", "simulations:", "simulation is missing"),
    ("{dim: 34x34x2, wScale: 1}", "{dim: 2a}", r"layer\[0\].dim must be the input, such as 34x34x2 or 250, got '2a'"),
    ("{dim: 12c5}", "{dim: 12p}", r"layer\[1\].dim must be a number of neurons, a convolution"),
    ("{dim: 12c5}", "{dim: 1200c50}", "architecture .* does not fit"),
    ("groups: 4", "groups: 5", "architecture .* has 5 groups, which must divide"),
    ("{dim: 2a}", "{dim: 8a}", r"layer\[2\].dim pools 30x30x12 by 8, which .* mix channels"),
    ("{dim: 12c5}", "12c5", r"layer\[1\] must be a table of names and values, got '12c5'"),
    ("stride: 2", "stride: 1.5", r"layer\[3\].stride must be a whole number, got 1.5"),
    ("stride: 2", "strides: 2", r"layer\[3\].strides is no setting"),
    ("stride: 2", "neuron: {theta: 2}", r"layer\[3\].neuron gives a layer neurons of its own"),
    ("sigma: 0", "sigma: 1", r"layer\[4\].sigma asks for lateral inhibition"),
    ("lambda: 0", "lambda: 0.1", "training.learning.lambda asks for a decay"),
    ("NumSpikes", "ProbSpikes", "training.error.type must be NumSpikes or SpikeTime, got 'ProbSpikes'"),
    ("start: 0", "start: 400", "training.error.tgtSpikeRegion must start at 0 ms or later"),
    ("{true: 60", "{yes: 60, maybe: 1", "training.error.tgtSpikeCount.maybe is no setting"),
    ("NADAM", "RMSPROP", "training.optimizer.name must be ADAM, NADAM or GradientDescent, got 'RMSPROP'"),
    ("beta1: 0.9", "beta1: 0.8", "training.optimizer.beta1 must be 0.9"),
    ("gradAlgo: SLAYER", "gradAlgo: SLAYER_ZERO", "training.gradAlgo must be SLAYER"),
    ("seed: 3", "seed: 3.5", "seed must be a whole number from 0, got 3.5"),
    ("seed: 3", "seed: 3\nseeds: 4", "seeds is no setting"),
])
def test_what_cannot_be_taken_over_is_refused(written, old, new, said):
    assert old in GOOD
    path = written(GOOD.replace(old, new))
    with pytest.raises(FormatError, match=rf"^{path}: {said}"):
        read_description(path)


@pytest.mark.parametrize(("text", "said"), [
    ("a: [1, 2", "network.yaml, line 1, column 9: is no YAML"),
    ("a: 1\na: 2", r"line 2, column 1: .*the key 'a' stands there twice"),
    ("- 1\n- 2", "network.yaml: the file must be a table of names and values, got a list of 2"),
    ("", "simulation is missing"),
    ("a: !!python/object/apply:os.system ['touch owned']", "is no YAML that can be read safely"),
    ("[" * 5000, "is nested too deeply|is no YAML"),
    ("a: 2020-13-45", "has a value that is none"),
    ("x" * (1 << 21), "is longer than 1,048,576 bytes"),
    ("? [1, 2]\n: 3", "is no YAML|is missing"),
])
def test_what_is_no_description_is_refused(written, tmp_path, monkeypatch, text, said):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FormatError, match=said) as caught:
        read_description(written(text))
    assert "\n" not in str(caught.value) and not (tmp_path / "owned").exists()


def test_aliases_that_grow_are_no_trouble(written):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 30)]
    with pytest.raises(FormatError, match="simulation is missing"):
        read_description(written("\n".join(lines)))


ODD = ("&a", "*a", "!!set", "!!binary aGk=", "1e999", "0x10", "2020-01-01", "~", ".nan", "-1", "9" * 30, "<<: *a",
       "? x", "|", "''", "1:30", "[]", "{}")


def swapped(rng, n):
    """``n`` descriptions in which some words are others, or odd ones."""
    words = re.split(r"(\s+)", GOOD)
    others = [*words[::2], *ODD]
    for _ in range(n):
        out = list(words)
        for _ in range(rng.integers(1, 4)):
            out[2 * rng.integers(len(words) // 2)] = others[rng.integers(len(others))]
        yield "".join(out).encode()


def test_damaged_files_are_refused_or_read(rng, tmp_path):
    path = tmp_path / "fuzzed.yaml"

    def read(data):
        path.write_bytes(data)
        return read_description(path).network

    decoded, refused = outcomes(read, [*mutated(rng, GOOD.encode(), 300), *swapped(rng, 300)])
    assert decoded > 3 and refused > 50


def test_without_pyyaml(written, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "yaml", None)
    with pytest.raises(ConfigError, match=r'install it with `pip install "eventsim\[slayer\]"`'):
        read_description(written(GOOD))


@pytest.mark.parametrize(("layers", "arch"), [
    (("34x34x2", "12c5", "2a", "64c5", "2a", 10), "34x34x2-12c5-2a-64c5-2au-10"),
    (("34x34x2", "16c5z", "2a", "64c3z", "2a", 10), "34x34x2-16c5p2-2a-64c3p1-2au-10"),
    (("5x5", "2a", "2a", "2a", 3), "5x5x1-2au-2au-2a-3"),
    (("34x34x2", "4a", 10), "34x34x2-4au-10"),
])
def test_pools_round_up_where_slayer_pads(written, layers, arch):
    start, end = GOOD.index("layer:"), GOOD.index("training:")
    lines = "\n".join(f"    - {{dim: {dim}}}" for dim in layers)
    assert read_description(written(f"{GOOD[:start]}layer:\n{lines}\n{GOOD[end:]}")).network["arch"] == arch


def test_ticks_are_as_many_as_in_the_file(written):
    found = read_description(written(GOOD.replace("Ts: 1.0", "Ts: 0.1").replace("tSample: 300", "tSample: 50")))
    assert np.isclose(found.network["n_ticks"] * found.network["dt"], 50)

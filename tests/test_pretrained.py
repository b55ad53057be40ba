"""The weights that the course ships are those of their cards, and `make weights` makes them as it says."""

import json
import math
import os
import subprocess
import sys
from functools import partial
from hashlib import sha256
from pathlib import Path

import pytest
import torch
from safetensors.torch import load
from torch import nn

from bench import record_floor
from grading.sandbox.mounts import library_options
from tools.train_weights import __main__ as command
from tools.train_weights.images import CNNTraining
from tools.train_weights.lstm import LSTMTraining, lstm_bits
from tools.train_weights.shipping import BEGIN, END, ship, table
from tools.train_weights.trainer import train
from tools.train_weights.transformer import TransformerTraining, transformer_bits
from utils import data
from utils.download import DataError
from utils.models import CharLSTM, Transformer, card, generate, pretrained
from utils.models.pretrained import NAMES
from utils.paths import COURSE, WEIGHTS
from utils.text import decode, encode
from utils.training import Batches, count_parameters, cross_entropy, evaluate, seed_everything

TEXT = "to be, or not to be: that is the question. " * 40
PLAIN = data.Corpus("tiny_shakespeare", TEXT)


# --- what is shipped ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_a_card_is_true_to_its_file(name):
    described = card(name)
    content = (WEIGHTS / described["file"]["name"]).read_bytes()
    assert sha256(content).hexdigest() == described["file"]["sha256"]
    assert len(content) == described["file"]["bytes"] < 3_000_000
    assert {tensor.dtype for tensor in load(content).values()} <= {torch.float16, torch.int64}
    assert described["name"] == name and described["command"] == f"make weights MODELS={name}"
    assert described["looks"][-1]["step"] == described["steps"]
    assert described["looks"][-1]["read"] == described["read"]
    assert abs(described["measured"]["float32"] - described["measured"]["shipped"]) < 0.002


@pytest.mark.parametrize("name", NAMES)
def test_a_model_comes_ready_to_be_used(name):
    model = pretrained(name)
    assert isinstance(model, nn.Module) and not any(part.training for part in model.modules())
    assert {(p.dtype, p.device.type, p.requires_grad) for p in model.parameters()} == {(torch.float32, "cpu", True)}
    assert count_parameters(model) == card(name)["architecture"]["parameters"]


def test_all_of_them_together_are_small():
    assert sum(path.stat().st_size for path in WEIGHTS.iterdir()) < 10_000_000


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("mnist_cnn", "scribe")])
def test_a_text_model_knows_its_alphabet_and_writes(name):
    model = pretrained(name)
    assert list(model.alphabet) == sorted(set(model.alphabet))
    written = generate(model, encode("\n", model.alphabet), 20, generator=torch.Generator().manual_seed(0))
    assert len(decode(written, model.alphabet)) == 20


def test_any_version_of_python_has_the_alphabet_of_the_model_that_reads_python():
    assert set(data.corpus("python").text) <= set(pretrained("python_lstm").alphabet)


@pytest.mark.parametrize(
    ("name", "corpus"),
    [
        ("char_lstm", "tiny_shakespeare"),
        ("char_transformer", "tiny_shakespeare"),
        ("char_wavenet", "tiny_shakespeare"),
        ("python_lstm", "python"),
    ],
)
def test_a_text_model_reads_the_validation_text_as_well_as_its_card_says(name, corpus):
    """Forty pieces of 256 characters, of which the first 100 only lead up to the others."""
    found, model = data.corpus(corpus), pretrained(name)
    if sha256(found.text.encode()).hexdigest() != card(name)["data"]["sha256"]:
        pytest.skip(f"the text that {name} was trained on is not here")
    tokens = encode(found.validation, model.alphabet)
    places = torch.linspace(0, len(tokens) - 257, 40).long()
    pieces = tokens[places[:, None] + torch.arange(257)]
    with torch.no_grad():
        output = model(pieces[:, :-1])
    logits = output[0] if isinstance(output, tuple) else output
    bits = cross_entropy(logits[:, 100:], pieces[:, 101:]).item() / math.log(2)
    assert bits == pytest.approx(card(name)["measured"]["shipped"], abs=0.15)


def test_the_cnn_reads_digits_as_well_as_its_card_says():
    if (images := data.mnist()).name != "mnist":
        pytest.skip("MNIST is not here")
    _, validation = images.split()
    accuracy = evaluate(pretrained("mnist_cnn"), Batches(*validation, size=500))
    assert accuracy == pytest.approx(card("mnist_cnn")["measured"]["shipped"], abs=0.001)
    assert card("mnist_cnn")["measured"]["test"] > 0.992


def test_both_models_of_the_plays_read_better_than_the_best_table():
    """The six-gram of lesson 08 has 2.25 bits on the whole validation text."""
    for name in ("char_lstm", "char_transformer"):
        assert card(name)["measured"]["shipped"] < 2.25


def test_the_table_of_the_readme_is_that_of_the_cards():
    assert f"{BEGIN}\n{table(WEIGHTS)}\n{END}" in (WEIGHTS / "README.md").read_text(encoding="utf-8")


# --- what can be wrong with it -----------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path):
    """A folder with one tiny model in it, under the name of a large one."""
    training = LSTMTraining(PLAIN, width=4, embedding=3, epochs=1, streams=2, length=16)
    run = train(training, tmp_path / "checkpoint", log=print)
    ship("char_lstm", "A tiny one.", training, run, tmp_path)
    return tmp_path


def test_a_tiny_model_comes_back_as_it_was_shipped(folder):
    model, described = pretrained("char_lstm", folder), card("char_lstm", folder)
    assert isinstance(model, CharLSTM)
    assert model.alphabet == described["alphabet"] == PLAIN.alphabet
    tokens = encode(PLAIN.validation, PLAIN.alphabet)
    assert lstm_bits(model, tokens) == pytest.approx(described["measured"]["shipped"], abs=1e-6)
    assert described["data"]["sha256"] == sha256(TEXT.encode()).hexdigest()
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]  # no temporary file is left


def test_an_unknown_name_is_answered_with_those_that_there_are():
    with pytest.raises(ValueError, match="no trained model 'gpt'; there are char_lstm, char_transformer"):
        pretrained("gpt")


def spoil_content(folder: Path) -> None:
    path = folder / "char_lstm.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"\0")


def cut_short(folder: Path) -> None:
    path = folder / "char_lstm.safetensors"
    path.write_bytes(path.read_bytes()[:-1])


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda folder: (folder / "char_lstm.json").unlink(), "does not exist"),
        (lambda folder: (folder / "char_lstm.json").write_text("{"), "cannot be read"),
        (lambda folder: (folder / "char_lstm.safetensors").unlink(), "No such file"),
        (spoil_content, "SHA-256"),
        (cut_short, "bytes, and its card says"),
    ],
    ids=["no card", "half a card", "no weights", "other weights", "half the weights"],
)
def test_a_wrong_folder_is_described_with_what_to_do(folder, spoil, said):
    spoil(folder)
    with pytest.raises(DataError, match=said) as caught:
        pretrained("char_lstm", folder)
    assert "git checkout -- data/weights" in str(caught.value)
    assert "make weights MODELS=char_lstm" in str(caught.value)


def test_git_takes_the_weights_and_no_other_data():
    if not (COURSE / ".git").exists():
        pytest.skip("this is no clone")

    def ignored(path: str) -> bool:
        return subprocess.run(["git", "check-ignore", "--quiet", path], cwd=COURSE).returncode == 0

    assert not ignored("data/weights/char_lstm.safetensors") and not ignored("data/weights/char_lstm.json")
    assert ignored("data/mnist/train-images-idx3-ubyte")


def test_the_sandbox_has_the_weights_where_the_module_that_reads_them_is():
    there = ["--ro-bind", str(WEIGHTS), "/reach/data/weights"]
    held = frozenset({"models/pretrained.py", "paths.py"})
    assert " ".join(there) in " ".join(library_options("/reach", held))
    assert str(WEIGHTS) not in library_options("/reach", frozenset({"paths.py"}))


# --- the training ------------------------------------------------------------------------------------------------


def tiny_digits() -> data.Images:
    generator = torch.Generator().manual_seed(0)
    images, labels = torch.rand(80, 1, 28, 28, generator=generator), torch.arange(80) % 10
    return data.Images("mnist", images, labels, images, labels, validation=16)


TINY = {
    "lstm": lambda: LSTMTraining(PLAIN, width=4, embedding=3, epochs=3, streams=2, length=16),
    "transformer": lambda: TransformerTraining(PLAIN, width=8, heads=2, context=16, epochs=3, batch=4),
    "cnn": lambda: CNNTraining(tiny_digits(), epochs=3, batch=16),
}


class Stop(Exception):
    pass


@pytest.mark.parametrize("kind", TINY)
@pytest.mark.parametrize("after", [1, 2])
def test_an_interrupted_training_ends_with_the_same_bits(tmp_path, kind, after):
    left_alone = TINY[kind]()
    looks = train(left_alone, tmp_path / "one", log=print)["looks"]

    lines: list[str] = []

    def stop(line: str) -> None:
        lines.append(line)
        if len(lines) == after:
            raise Stop

    with pytest.raises(Stop):
        train(TINY[kind](), tmp_path / "other", log=stop)
    torch.rand(7)  # a new process begins with other random numbers
    again = TINY[kind]()
    resumed = train(again, tmp_path / "other", log=lines.append)["looks"]

    assert "Going on from step" in lines[after]
    expected, found = left_alone.model.state_dict(), again.model.state_dict()
    assert all(torch.equal(expected[name], found[name]) for name in expected)
    assert [{**look, "seconds": 0} for look in resumed] == [{**look, "seconds": 0} for look in looks]


def test_what_a_tiny_text_has_to_teach_is_learned(tmp_path):
    training = TransformerTraining(PLAIN, width=32, heads=2, context=32, epochs=20, batch=4, dropout=0.0)
    training.warm_up = 10
    looks = train(training, tmp_path / "checkpoint", log=print)["looks"]
    assert looks[-1]["validation"] < 0.3 < looks[0]["validation"]


@pytest.mark.parametrize(
    "other",
    [
        lambda: TransformerTraining(PLAIN, width=8, heads=2, context=16, epochs=3, batch=4, seed=1),
        lambda: TransformerTraining(PLAIN, width=4, heads=2, context=16, epochs=3, batch=4),
    ],
    ids=["another seed", "another width"],
)
def test_a_checkpoint_of_another_recipe_is_left_alone(tmp_path, other):
    train(TINY["transformer"](), tmp_path / "checkpoint", log=print)
    lines: list[str] = []
    train(other(), tmp_path / "checkpoint", log=lines.append)
    assert "another recipe" in lines[0]


def test_the_loss_has_to_be_a_number(tmp_path):
    training = TINY["lstm"]()
    nn.init.constant_(training.model.head.bias, math.nan)
    with pytest.raises(FloatingPointError, match="A lower rate may help"):
        train(training, tmp_path / "checkpoint", log=print)
    assert not (tmp_path / "checkpoint").exists()


def test_each_character_of_the_validation_text_is_predicted_once():
    seed_everything(0)
    model = Transformer(5, width=8, heads=2, layers=1)
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.5)
    for count in (40, 41, 47, 48, 49):
        tokens = torch.randint(5, (count,))
        with torch.no_grad():
            first = cross_entropy(model(tokens[None, :8]), tokens[None, 1:9]).item() * 8
            nats, context = first, 8
            for place in range(9, count):  # the place of the target; half windows begin at multiples of 4
                start = (place - 1) // 4 * 4 - 4
                logits = model(tokens[None, start:place])[0, -1]
                nats -= logits.log_softmax(-1)[tokens[place]].item()
        expected = nats / (count - 1) / math.log(2)
        assert transformer_bits(model, tokens, context) == pytest.approx(expected, abs=1e-4)


def test_one_stream_reads_the_text_as_it_stands():
    seed_everything(0)
    model, tokens = CharLSTM(5, 6), torch.randint(5, (50,))
    with torch.no_grad():
        expected = cross_entropy(model(tokens[None, :-1])[0], tokens[None, 1:]).item() / math.log(2)
    assert lstm_bits(model, tokens, length=7) == pytest.approx(expected, abs=1e-5)


# --- the command -------------------------------------------------------------------------------------------------


def test_without_the_real_data_nothing_is_trained(tmp_path):
    environment = {**os.environ, "REACH_DATA": str(tmp_path / "nowhere"), "PYTHONPATH": str(COURSE)}
    code = (
        "from dataclasses import replace\n"
        "from utils import data\n"
        "data.TINY_SHAKESPEARE = replace(data.TINY_SHAKESPEARE, places=('none',), mirrors=())\n"
        "data.MNIST = tuple(replace(file, places=('none',), mirrors=()) for file in data.MNIST)\n"
        "from tools.train_weights.__main__ import main\n"
        "from pathlib import Path\n"
        f"print([main([name], Path({str(tmp_path)!r})) for name in ('char_lstm', 'mnist_cnn')])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=COURSE, env=environment, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "[1, 1]", done.stderr
    assert "Three ways to get tiny Shakespeare" in done.stderr and "Three ways to get MNIST" in done.stderr
    assert not list(tmp_path.glob("*.json"))


def test_another_text_is_refused(monkeypatch):
    monkeypatch.setattr(command, "corpus", lambda name: data.Corpus("english", TEXT))
    with pytest.raises(DataError, match="not trained on english"):
        command.text("tiny_shakespeare")
    monkeypatch.setattr(command, "mnist", data.digits)
    with pytest.raises(DataError, match="not trained on digits"):
        command.digits()


def test_what_is_missing_is_trained_and_what_is_there_is_not(tmp_path, monkeypatch, capsys):
    tiny = {name: command.Model("Tiny.", TINY["lstm"]) for name in NAMES}
    monkeypatch.setattr(command, "MODELS", tiny)
    monkeypatch.setattr(os, "environ", dict(os.environ))
    weights, checkpoints = tmp_path / "weights", tmp_path / "checkpoints"
    weights.mkdir()
    (weights / "README.md").write_text(f"# Weights\n{BEGIN}\n{END}\nEnd.\n")
    assert command.main([], weights, checkpoints) == 0
    assert all(isinstance(pretrained(name, weights), CharLSTM) for name in NAMES)
    assert not list(checkpoints.iterdir())
    assert f"{BEGIN}\n{table(weights)}\n{END}\nEnd." in (weights / "README.md").read_text()
    assert table(weights).count("Tiny.") == len(NAMES)
    (weights / "python_lstm.safetensors").write_bytes(b"")
    capsys.readouterr()
    assert command.main([], weights, checkpoints) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if not line.startswith(" ")] == ["python_lstm: Tiny."]
    assert lines[1].startswith("  step ")
    assert json.loads((weights / "python_lstm.json").read_text())["file"]["bytes"] > 0
    assert command.main(["gpt"], weights, checkpoints) == 2


def test_the_floor_is_recorded(tmp_path, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")  # main() sets it
    monkeypatch.setattr(record_floor, "RECORD", tmp_path / "record.json")
    monkeypatch.setattr(record_floor.data, "corpus", lambda name: PLAIN)
    monkeypatch.setattr(record_floor, "shipped", lambda corpus: {"training": 1.0, "validation": 2.0})
    monkeypatch.setattr(record_floor, "LSTMTraining", partial(LSTMTraining, streams=2, length=16, embedding=3))
    assert record_floor.main(["--width", "4", "--passes", "1"]) == 0
    parts = json.loads(record_floor.RECORD.read_text())["parts"]
    assert [parts[part]["characters"] for part in "124"] == [len(PLAIN.train) // part for part in (1, 2, 4)]
    assert parts["4"]["read"] == pytest.approx(parts["1"]["read"], rel=0.2)


# --- the optimizer -----------------------------------------------------------------------------------------------

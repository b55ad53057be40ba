"""The runner of the benches. What the benches measure takes minutes and is no test: `make bench`."""

import json

import pytest

from bench import __main__ as runner
from utils.download import DataError


@pytest.fixture
def results(tmp_path, monkeypatch):
    for name in ("CUDA_VISIBLE_DEVICES", "REACH_STRICT"):  # main() sets them; the fixture sets them back
        monkeypatch.setenv(name, "")
    monkeypatch.setattr(runner.torch, "set_num_threads", lambda count: None)
    monkeypatch.setattr(runner, "RESULTS", tmp_path / "results.json")
    return runner.RESULTS


def refuse():
    raise DataError("There is no MNIST here.")


def test_each_bench_adds_its_key_and_keeps_the_others(results, monkeypatch, capsys):
    benches = {
        "one": (lambda: (30.0, {"seconds": [1.0], "reference_seconds": [30.0]}), 25),
        "two": (lambda: (4.0, {"seconds": [2.0], "reference_seconds": [8.0]}), 3),
    }
    monkeypatch.setattr(runner, "BENCHES", benches)
    assert runner.main(["one"]) == 0
    assert runner.main(["two"]) == 0
    stored = json.loads(results.read_text())
    assert (stored["one"], stored["two"]) == (30.0, 4.0)
    assert stored["details"]["one"]["seconds"] == [1.0]
    assert stored["details"]["two"]["threads"] == 1
    assert "at least 25" in capsys.readouterr().out


def test_without_the_data_it_says_so_and_gives_no_number(results, monkeypatch, capsys):
    monkeypatch.setattr(runner, "BENCHES", {"one": (refuse, 25)})
    assert runner.main([]) == 1
    stored = json.loads(results.read_text())
    assert stored["one"] is None and "no MNIST" in stored["details"]["one"]["refused"]
    output = capsys.readouterr()
    assert "no MNIST" in output.err and "refused" in output.out


def test_an_unknown_bench_is_named(results, capsys):
    assert runner.main(["cnn_sped"]) == 2
    assert "cnn_sped" in capsys.readouterr().err and not results.exists()

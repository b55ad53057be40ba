"""The runner of the benches. What the benches measure takes minutes and is no test: `make bench`."""

import json
import math
import re

import pytest

from bench import __main__ as runner
from bench import machine, scan_speedup
from utils.download import DataError

RESULTS = runner.RESULTS


@pytest.fixture
def results(tmp_path, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")  # main() sets it; the fixture sets it back
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


def test_each_kind_of_processor_keeps_its_own_result(results, monkeypatch):
    ratios = iter([30.0, 20.0])
    monkeypatch.setattr(runner, "BENCHES", {"one": (lambda: (next(ratios), {}), 25)})
    for kind in ("AMD, AVX-512", "AMD, AVX2"):
        monkeypatch.setattr(runner, "kind", lambda kind=kind: kind)
        assert runner.main([]) == 0
    stored = json.loads(results.read_text())
    assert stored["one"] == 20.0  # the last run
    assert stored["kinds"] == {"AMD, AVX-512": {"one": 30.0}, "AMD, AVX2": {"one": 20.0}}


@pytest.mark.parametrize(
    "flags, setting, expected",
    [("avx2", "", "AMD, AVX2"), ("avx2 avx512f", "avx2", "AMD, AVX2 simulated"), ("avx2", "avx2", "AMD, AVX2")],
)
def test_a_kind_is_vendor_and_instructions_and_names_a_simulation(monkeypatch, flags, setting, expected):
    known = {"vendor_id": "AuthenticAMD", "flags": flags}
    monkeypatch.setattr(machine, "cpuinfo", known.get)
    monkeypatch.setattr(machine.torch.backends.cpu, "get_cpu_capability", lambda: "AVX2")
    for name in ("ONEDNN_MAX_CPU_ISA", "MKL_ENABLE_INSTRUCTIONS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ATEN_CPU_CAPABILITY", setting)
    assert machine.kind() == expected


@pytest.mark.parametrize(
    "sentence, name",
    [
        (r"graded (\d+) submissions", "grading_per_minute_one_core"),
        (r"(\d+) times as many", "grading_speedup"),
        (r"(\d+) times for the CNN of lesson 02", "cnn_speedup"),
        (r"(\d+) for the LSTM of lesson 08", "lstm_speedup"),
        (r"(\d+) for the transformer of lesson 11", "transformer_speedup"),
    ],
)
def test_the_readme_quotes_the_lowest_of_all_kinds(sentence, name):
    kinds = json.loads((RESULTS.parent / "results.json").read_text())["kinds"]
    readme = (RESULTS.parent.parent / "README.md").read_text(encoding="utf-8")
    readme = " ".join(readme.split())
    quoted = re.search(sentence, readme)
    assert quoted and int(quoted[1]) == math.floor(min(kind[name] for kind in kinds.values() if name in kind))


def test_an_unknown_bench_is_named(results, capsys):
    assert runner.main(["cnn_sped"]) == 2
    assert "cnn_sped" in capsys.readouterr().err and not results.exists()


def test_the_scan_is_compared_with_the_loop_round_by_round(monkeypatch):
    monkeypatch.setattr(scan_speedup, "STEPS", 40)
    asked = []

    def measured(calls, rounds):
        for call in calls.values():
            a, b = call()
            asked.append((a.sum().item(), b.sum().item()))
        return {"scan": [1.0, 2.0, 1.0], "loop": [20.0, 20.0, 40.0]}

    monkeypatch.setattr(scan_speedup, "processor_seconds", measured)
    ratio, details = scan_speedup.scan_speedup()
    assert ratio == 20 and details["reference_seconds"] == [20.0, 20.0, 40.0]
    assert asked[0] == pytest.approx(asked[1], rel=1e-3)  # both compute the same gradients

"""Answers that ask for a GPU, or are compiled, in a learner's own check. No GPU is needed: one is made up."""

import os
import site
import subprocess
import sys

import pytest
import torch

from utils.checking import Lesson, Status, calling, gpu
from utils.checking.calling import Problem
from utils.checking.learners import is_learners

lesson = Lesson("99", __name__)


@lesson.exercise(points=1, hint="Double it.")
def double(x):
    """Twice x (T,)."""
    return 2 * x


double.cases(lambda rng: [(torch.ones(size),) for size in (1, 3)])


def asks(x):
    moved = x.to("cuda") if len(x) > 100 else x
    return 2 * moved


def check(answer):
    return double._verdict(answer)


def test_a_passed_check_says_that_grading_has_no_gpu_where_the_code_asks_for_one():
    verdict = check(asks)
    assert verdict.passed and verdict.notes == [gpu.ADVICE]
    assert 'Write `x.device` instead of "cuda"' in verdict.text()


def test_a_passed_check_says_so_where_values_came_from_a_gpu(monkeypatch):
    monkeypatch.setattr(calling, "on_gpu", lambda value: True)  # there is no GPU here
    verdict = check(lambda x: 2 * x)
    assert verdict.passed and verdict.notes == [gpu.ADVICE]
    assert check(asks).notes == [gpu.ADVICE]  # once


def test_values_on_a_gpu_are_seen_in_lists_and_dicts(monkeypatch):
    monkeypatch.setattr(gpu, "NAMES", ("meta",))
    there, here = torch.ones(1, device="meta"), torch.ones(1)
    assert gpu.on_gpu(there) and gpu.on_gpu([here, {"a": (there,)}])
    assert not gpu.on_gpu([here, {"a": (here, 3, None)}])


@pytest.mark.parametrize("answer", [lambda x: 2 * x, torch.nn.Sequential(), len, 3])
def test_other_answers_hear_nothing_of_it(answer):
    assert gpu.ADVICE not in check(answer).notes


@pytest.mark.skipif(torch.cuda.is_available(), reason="an answer that asks for a GPU works here")
@pytest.mark.parametrize(
    "answer",
    [
        lambda x: x.cuda(),
        lambda x: x + torch.zeros(len(x), device="cuda"),
        lambda x: torch.cuda.synchronize(),
        lambda x: torch.cuda.Event().record(),
        lambda x: torch.Generator("cuda"),
    ],
)
def test_an_error_for_want_of_a_gpu_says_what_to_write(answer):
    verdict = check(answer)
    assert verdict.status is Status.FAILED and verdict.summary == f"It {Problem.RAISED}."
    assert f"There is no GPU here, and none in grading. {gpu.INSTEAD}" in verdict.problem


@pytest.mark.parametrize(
    "message",
    [
        "Torch not compiled with CUDA enabled",
        "Found no NVIDIA driver on your system. Please check that you have an NVIDIA GPU",
        "No CUDA GPUs are available",
        "CUDA error: CUDA driver version is insufficient for CUDA runtime version",
        "CUDA error: no CUDA-capable device is detected",
        "PyTorch is not linked with support for mps devices",
        "Cannot execute deviceSynchronize() without MPS backend.",
        "Could not run 'aten::empty.memory_format' with arguments from the 'MPS' backend.",
    ],
)
def test_torchs_ways_to_say_that_there_is_no_gpu_are_known(message):
    assert gpu.advice_on(message)


@pytest.mark.parametrize(
    "message", ["", "division by zero", "expected all tensors to be on the same device", "no cuda"]
)
def test_other_errors_get_no_such_advice(message):
    assert not gpu.advice_on(message)


COMPILED = """
import torch
from utils.checking import Lesson, calling

lesson = Lesson("99", __name__)

@lesson.exercise(points=1, hint="Double it.")
def double(x):
    return 2 * x

double.cases(lambda rng: [(torch.ones(size),) for size in (1, 3)])
calls = []

def backend(graph, inputs):
    calls.append(graph)
    return graph.forward

@torch.compile(backend=backend)
def answer(x):
    return 2 * x

assert double.judge(answer).passed
assert not calls, "it was compiled for the check"
answer(torch.ones(2))
assert calls, "compiling works again after the check"
"""


@pytest.mark.skipif(not hasattr(torch.compiler, "set_stance"), reason="torch before 2.6 cannot leave compiling out")
def test_a_compiled_answer_is_checked_as_it_was_written():
    done = subprocess.run([sys.executable, "-c", COMPILED], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_what_a_person_has_installed_is_no_code_of_theirs():
    """`pip install --user`, and Debian's own packages, lie elsewhere than the packages of an environment."""
    for folder in (*site.getsitepackages(), site.getusersitepackages()):
        assert not is_learners(os.path.join(folder, "torch", "_tensor.py"))

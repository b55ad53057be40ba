"""Answers that were written for a GPU, or for torch's compiler, get in grading what their values are worth."""

import nbformat
import pytest
from rich.console import Console

from grading.assignment import load_assignment
from grading.batch import Tally
from grading.console import show_table
from grading.judging.grade import Rules, grade_notebook
from grading.judging.session import Session, Times
from grading.results import missing_packages
from grading.sandbox import Sandbox
from grading.worker.isolation import Limits
from utils.checking import Lesson, normal
from utils.checking.gpu import asks_for_gpu
from utils.paths import NOTEBOOKS

SET_UP = """
import torch
from torch import nn, zeros
from torch.cuda import synchronize
GPU = "cuda"
nowhere = torch.device("mps")
torch.set_default_device("cuda:0")
torch.set_default_tensor_type("torch.cuda.FloatTensor")
made_here = torch.ones(3, device="cuda")
"""
RIGHT = {  # each doubles x (T,)
    "cuda": "return 2 * x.cuda()",
    "numbered": "return 2 * x.cuda(0).to(0)",
    "twice, in place": "y = x.cuda(); y *= 2; return y",
    "to, in place": "y = x.to(GPU); y *= 2; return y",
    "to, by name": "y = x.to(device='cuda', dtype=torch.float32, non_blocking=True); y += x; return y.cpu()",
    "mps": "return x.to(nowhere) + x.to('mps')",
    "a device": "d = torch.device('cuda:0'); return x.to(d) + torch.zeros(len(x), device=d) + x.to(d)",
    "made there": "return 2 * x.cuda() + zeros(len(x), device='cuda') + 0 * torch.tensor([1.0], device=GPU)",
    "made by another cell": "return 2 * x.cuda() + 0 * made_here.sum()",
    "like": "return 2 * x.new_tensor(x.tolist(), device='cuda') + torch.zeros_like(x, device='cuda')",
    "a context": "\n    with torch.device('cuda'):\n        return 2 * x.cuda() + torch.zeros(len(x))",
    "a default": "torch.set_default_device('cuda'); return torch.full((len(x),), 2.0) * x.cuda()",
    "a module": "m = nn.Linear(1, 1, device='cuda').cuda().to('cuda')\n"
    "    m.weight.data.fill_(2); m.bias.data.zero_(); return m(x.cuda()[:, None])[:, 0].detach()",
    "gradients": "y = x.clone().requires_grad_().cuda(); (y ** 2).sum().backward()\n"
    "    z = x.cuda().requires_grad_(); (z ** 2).sum().backward(); return z.grad",
    "autocast": "\n    with torch.autocast('cuda'):\n        return 2 * x.cuda()",
    "housekeeping": "torch.cuda.synchronize(); synchronize(); torch.cuda.empty_cache(); torch.cuda.set_device(0)\n"
    "    torch.cuda.manual_seed_all(0); torch.cuda.reset_peak_memory_stats(); torch.mps.synchronize()\n"
    "    torch.cuda.memory_allocated(); return 2 * x.to(torch.cuda.current_device())",
    "a chosen GPU": "\n    with torch.cuda.device(0):\n        return 2 * x.cuda()",
    "random": "g = torch.Generator(device='cuda').manual_seed(1)\n"
    "    return 2 * x + 0 * torch.rand(len(x), device='cuda', generator=g)",
    "pinned": "return 2 * x.pin_memory().cuda() + torch.zeros(len(x), pin_memory=True)",
    "types": "return 2 * x.type('torch.cuda.FloatTensor') + 0 * torch.cuda.FloatTensor(len(x)).zero_()",
    "looks first": "d = 'cuda' if torch.cuda.is_available() else 'cpu'; return 2 * x.to(d)",
    "compiled": "return quick(x)",
    "compiled with options": "return quicker(x)",
    "a compiled module": "m = nn.Identity(); m.compile(); return 2 * torch.compile(m)(x)",
}
COMPILED = """
@torch.compile
def quick(x):
    return 2 * x

@torch.compile(mode="max-autotune", fullgraph=True)
def quicker(x):
    return 2 * x
"""
ONLY_ON_A_GPU = {
    "event": ("torch.cuda.Event(enable_timing=True)", "torch.cuda.Event"),
    "stream": ("torch.cuda.Stream()", "torch.cuda.Stream"),
    "graph": ("torch.cuda.CUDAGraph()", "torch.cuda.CUDAGraph"),
    "name": ("torch.cuda.get_device_name()", "Grading has no GPU"),
    "mps event": ("torch.mps.event.Event()", "torch.mps.event.Event"),
}


def doubled(x):
    """Twice x (T,)."""
    return 2 * x


EXERCISE = Lesson("99", __name__).exercise(points=1, hint="Double it.")(doubled)
EXERCISE.cases(lambda rng: [(normal(rng, size),) for size in (1, 3, 4)])


def named(name: str) -> str:
    return name.replace(" ", "_").replace(",", "")


@pytest.fixture(scope="module")
def session(sandbox):
    """All of these answers in one process."""
    answers = {**RIGHT, **{name: f"return {code}" for name, (code, _) in ONLY_ON_A_GPU.items()}}
    sources = [SET_UP, COMPILED, *(f"def {named(name)}(x):\n    {code}" for name, code in answers.items())]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    with Session(sandbox, notebook, list(range(len(sources))), Limits(), Times()) as made:
        made.run_cells()
        errors = [output for cell in notebook.cells for output in cell.outputs if output.output_type == "error"]
        assert errors == []
        yield made


@pytest.mark.parametrize("name", RIGHT)
def test_what_a_processor_can_do_too_is_right(name, session):
    verdict = EXERCISE.judge(named(name), caller=session)
    assert verdict.passed, verdict.text()


@pytest.mark.parametrize("name", ONLY_ON_A_GPU)
def test_what_only_a_gpu_has_is_an_error_that_says_so(name, session):
    verdict = EXERCISE.judge(named(name), caller=session)
    assert not verdict.passed
    assert f"in line 2 of `{named(name)}`: return" in verdict.problem
    assert "Grading has no GPU" in verdict.problem and ONLY_ON_A_GPU[name][1] in verdict.problem


def test_a_gpu_is_never_said_to_be_there(sandbox):
    source = "def answer(x):\n    x.cuda()\n    return x * (1 if torch.cuda.is_available() or x.cuda().is_cuda else 2)"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(f"import torch\n{source}")])
    with Session(sandbox, notebook, [0], Limits(), Times()) as session:
        assert EXERCISE.judge("answer", caller=session).passed


def test_where_nobody_asks_for_a_gpu_nothing_of_torch_is_replaced(sandbox):
    source = "import torch\nfrom torch.overrides import _get_current_function_mode_stack as modes\n"
    source += "where = 'cuda' if torch.cuda.is_available() else 'cpu'\n"
    source += (
        "def answer(x):\n    return x.to(where) * (1 if modes() or torch.Generator.__module__ != 'torch._C' else 2)"
    )
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    with Session(sandbox, notebook, [0], Limits(), Times()) as session:
        verdict = EXERCISE.judge("answer", caller=session)
        assert verdict.passed, verdict.text()


POOL = "def max_pool2d(x, kernel, stride):\n    return torch.nn.functional.max_pool2d(x{}, kernel, stride)"


def test_the_student_is_told_that_grading_has_no_gpu(sandbox):
    assignment = load_assignment(NOTEBOOKS / "01_convolution.ipynb")

    def graded(source: str):
        notebook = nbformat.from_dict(assignment.notebook)
        for cell in notebook.cells:
            cell.source = source if cell.id == "max_pool2d" else cell.source
        return grade_notebook("ada", assignment, notebook, Rules(seed=1), sandbox).graded

    asks, does_not = graded(POOL.format(".cuda()")), graded(POOL.format("") + "  # no .cuda() here")
    assert asks.points == does_not.points == 1
    (note,) = asks.notes
    assert note.startswith("`max_pool2d` asks for a GPU. Grading has none, and ran it on the processor.")
    assert does_not.notes == []


@pytest.mark.parametrize(
    "source",
    [
        "x.cuda()",
        "model.to('cuda')",
        'torch.zeros(3, device="cuda:1")',
        "torch.device('mps')",
        "torch.cuda.synchronize()",
        "from torch.cuda import Event",
        "%time x.cuda()",
        "if torch.cuda.is_available():\n    pass\nelse:\n    x.cuda()",
        "if not torch.cuda.is_available():\n    x.cuda()",
        "d = 'cpu' if not torch.cuda.is_available() else 'cpu'\nx.to('cuda')",
        "a." * 3_000 + "cuda()",
    ],
)
def test_asking_for_a_gpu_is_seen(source):
    assert asks_for_gpu(source)


@pytest.mark.parametrize(
    "source",
    [
        "x + 1",
        "device = 'cuda' if torch.cuda.is_available() else 'cpu'",
        "use_cuda = torch.cuda.is_available()\ndevice = torch.device('cuda' if use_cuda else 'cpu')",
        "device = torch.cuda.is_available() and 'cuda' or 'cpu'",
        "if torch.cuda.is_available():\n    model.cuda()",
        "if x.device.type == 'cuda':\n    torch.cuda.synchronize()",
        "device = 'cpu' if not torch.cuda.is_available() else 'cuda'",
        "torch.cuda.manual_seed_all(0)",
        "# x.cuda()",
        "%time x  # not on cuda",
        "'''Runs on the CPU; cuda is not needed.'''",
        "print(x.is_cuda)",
    ],
)
def test_looking_first_is_not_asking(source):
    assert not asks_for_gpu(source)


@pytest.mark.parametrize("source", ["(" * 5_000 + "cuda", "-" * 50_000 + "cuda", "cuda\0", "cuda" + "+cuda" * 50_000])
def test_no_code_breaks_the_look_at_it(source):
    assert asks_for_gpu(source) in (True, False)


@pytest.fixture(scope="module")
def brief():
    """The sandbox of a batch of few, where less was imported beforehand."""
    with Sandbox(brief=True) as sandbox:
        yield sandbox


def test_where_little_was_imported_beforehand_it_is_the_same(brief):
    assignment = load_assignment(NOTEBOOKS / "01_convolution.ipynb")
    right = (
        "def conv2d(x, weight, bias, stride=1, padding=0, dilation=1):\n"
        "    y = F.conv2d(x.cuda()[None], weight.cuda(), bias.cuda(), stride, padding, dilation)\n"
        "    torch.optim.SGD([torch.zeros(1, requires_grad=True)], 0.1).step()\n    return y[0]"
    )
    notebook = nbformat.from_dict(assignment.notebook)
    for cell in notebook.cells:
        cell.source = right if cell.id == "conv2d" else cell.source
    marks = grade_notebook("ada", assignment, notebook, Rules(seed=1), brief).graded.marks
    (mark,) = (mark for mark in marks if mark.grade_id == "check_conv2d")
    assert mark.points == mark.max_points, mark.verdict.text()


# --- packages that are not installed ---


def test_a_package_that_is_missing_is_counted_for_the_instructor(sandbox, capsys):
    assignment = load_assignment(NOTEBOOKS / "01_convolution.ipynb")
    inside = "def max_pool2d(x, kernel, stride):\n    from no_such.part import rearrange"
    caught = "try:\n    import no_such_package\nexcept ImportError: pass\nimport utils.checks.nothing"
    graded = []
    for student, source in {"ada": "import no_such_package", "bob": inside, "cyd": caught, "dee": inside}.items():
        notebook = nbformat.from_dict(assignment.notebook)
        for cell in notebook.cells:
            cell.source = source if cell.id == "max_pool2d" else cell.source
        graded.append(grade_notebook(student, assignment, notebook, Rules(seed=1), sandbox).graded)
    assert missing_packages(graded) == {"no_such": ["bob", "dee"], "no_such_package": ["ada"]}
    show_table(Console(width=100), assignment, graded, Tally(graded=graded))
    said = capsys.readouterr().out
    assert "2 students import no_such, which is not installed here" in said
    assert "1 student imports no_such_package, which is not installed here" in said

"""The workflows of .github/, the dev container and .ci/run: what they call exists, none may do more than needed."""

import json
import re
import tomllib
from importlib.metadata import Distribution, distributions

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from tools import floors
from utils.paths import COURSE

FILES = sorted((COURSE / ".github" / "workflows").glob("*.yml"))
WORKFLOWS = {file.name: yaml.safe_load(file.read_text(encoding="utf-8")) for file in FILES}
JOBS = {(file, job): found for file, workflow in WORKFLOWS.items() for job, found in workflow["jobs"].items()}
MAKEFILE = (COURSE / "Makefile").read_text(encoding="utf-8")
PROJECT = tomllib.loads((COURSE / "pyproject.toml").read_text(encoding="utf-8"))["project"]

WITHOUT_MAKE = {  # what a learner on Windows types
    "python -m pip install --constraint requirements.lock torch",
    'python -m pip install --constraint requirements.lock --editable ".[lab,learner-test]"',
    "python -m tests.learner",
}
every_job = pytest.mark.parametrize("job", JOBS.values(), ids=["/".join(name) for name in JOBS])
every_workflow = pytest.mark.parametrize("workflow", WORKFLOWS.values(), ids=WORKFLOWS)


def triggers(workflow: dict) -> dict:
    return workflow[True]  # YAML reads `on` as a truth value


def runs(job: dict) -> list[str]:
    """The commands of a job, with what its matrix puts into them."""
    commands = [step["run"] for step in job["steps"] if "run" in step]
    rows = job.get("strategy", {}).get("matrix", {}).get("include", [{}])
    return [
        re.sub(r"\$\{\{ matrix\.(\w+) \}\}", lambda found, row=row: row[found[1]], command)
        for command in commands
        for row in rows
    ]


def targets(command: str) -> set[str]:
    """The targets of the Makefile that a command calls."""
    code = re.sub(r"(?m)(^|\s)#.*$", "", command)
    return set(re.findall(r"\bmake ([a-z][a-z-]*)", code))


def container() -> str:
    return json.loads((COURSE / ".devcontainer/devcontainer.json").read_text(encoding="utf-8"))["postCreateCommand"]


def called() -> list[str]:
    """All that is run but what a learner types, and the summary of a job."""
    commands = [command for job in JOBS.values() for command in runs(job)]
    commands = [one for one in commands if one not in WITHOUT_MAKE and "GITHUB_STEP_SUMMARY" not in one]
    return [*commands, container(), (COURSE / ".ci" / "run").read_text(encoding="utf-8")]


@pytest.mark.parametrize("command", dict.fromkeys(called()), ids=lambda command: command.splitlines()[0][:60])
def test_what_is_run_is_a_target_that_the_makefile_has(command):
    there = set(re.findall(r"^([a-z][a-z-]*):", MAKEFILE, re.MULTILINE))
    assert targets(command), f"this runs something beside the Makefile: {command}"
    assert targets(command) <= there


def test_windows_and_macos_run_what_learners_run_without_make():
    [job] = [job for job in JOBS.values() if "${{ matrix.system }}" in job["runs-on"]]
    assert set(runs(job)) == WITHOUT_MAKE
    matrix = job["strategy"]["matrix"]
    assert {system.partition("-")[0] for system in matrix["system"]} == {"windows", "macos"}
    assert {"3.11", "3.13"} <= set(matrix["python"])


def test_extras_that_are_installed_exist():
    texts = [*(file.read_text(encoding="utf-8") for file in FILES), MAKEFILE]
    named = {extra for text in texts for list_ in re.findall(r'"\.\[([\w,-]+)\]"', text) for extra in list_.split(",")}
    named |= {extra for list_ in re.findall(r"tools\.floors ([\w -]+?) >", MAKEFILE) for extra in list_.split()}
    assert named and named <= set(PROJECT["optional-dependencies"])


@every_job
def test_a_job_ends(job):
    assert job["timeout-minutes"] <= 90


@every_workflow
def test_no_workflow_may_write_or_runs_a_strangers_code_with_rights(workflow):
    assert set(workflow["permissions"].items()) <= {("contents", "read")}
    assert "pull_request_target" not in triggers(workflow)
    assert "secrets." not in json.dumps(list(workflow["jobs"].values()))


@every_workflow
def test_every_action_has_its_version(workflow):
    used = [step["uses"] for job in workflow["jobs"].values() for step in job["steps"] if "uses" in step]
    assert used and all(re.fullmatch(r"[\w.-]+/[\w./-]+@(release/)?v\d+", action) for action in used)


NODE_24 = {  # the first version of each that GitHub's runners, which have Node 20 no more, can run
    "actions/cache": 5,
    "actions/checkout": 5,
    "actions/deploy-pages": 5,
    "actions/download-artifact": 7,
    "actions/setup-python": 6,
    "actions/upload-artifact": 6,
    "actions/upload-pages-artifact": 5,
}


@every_workflow
def test_every_action_of_githubs_own_runs_on_todays_node(workflow):
    used = [step["uses"] for job in workflow["jobs"].values() for step in job["steps"] if "uses" in step]
    theirs = [action.split("@v") for action in used if action.startswith("actions/")]
    assert theirs and all(int(version) >= NODE_24[name] for name, version in theirs)


def test_what_is_published_is_built_without_a_cache():
    used = [step for step in JOBS["release.yml", "build"]["steps"] if "uses" in step]
    assert not [step for step in used if "cache" in step["uses"] or "cache" in step.get("with", {})]


def test_only_jobs_that_publish_may_more_and_they_run_nothing_of_ours():
    more = {name for name, job in JOBS.items() if set(job.get("permissions", {}).items()) - {("contents", "read")}}
    assert more == {("release.yml", "publish"), ("site.yml", "publish")}
    assert JOBS["release.yml", "publish"]["permissions"] == {"id-token": "write"}
    assert JOBS["site.yml", "publish"]["permissions"] == {"id-token": "write", "pages": "write"}
    for publish in (JOBS[name] for name in more):
        assert publish["environment"] and publish["needs"]
        assert not runs(publish) and not any("checkout" in step["uses"] for step in publish["steps"])


def test_a_tag_is_published_once_the_package_was_checked_with_it():
    release = WORKFLOWS["release.yml"]
    assert triggers(release) == {"push": {"tags": ["v*"]}}
    assert runs(release["jobs"]["build"]) == ['make dist TAG="$GITHUB_REF_NAME"']
    assert release["jobs"]["publish"]["needs"] == "build"


# --- the GPU ---


def evaluated(expression: str, runner: str, event: str = "push") -> object:
    """What GitHub makes of an expression. Its && and || are Python's, and it knows no list but by fromJSON."""
    for theirs, ours in {"&&": "and", "||": "or", "startsWith(": "str.startswith("}.items():
        expression = expression.replace(theirs, ours)
    expression = expression.replace("vars.GPU_RUNNER", repr(runner)).replace("github.event_name", repr(event))
    return eval(expression.removeprefix("${{").removesuffix("}}").strip(), {"fromJSON": json.loads})


GPU = JOBS["ci.yml", "gpu"]


@pytest.mark.parametrize(
    "runner, labels",
    [
        ("linux-gpu-t4", "linux-gpu-t4"),
        ("self-hosted", "self-hosted"),
        ('["self-hosted", "gpu"]', ["self-hosted", "gpu"]),
    ],
)
def test_the_variable_names_the_runner_with_the_gpu(runner, labels):
    assert evaluated(GPU["runs-on"], runner) == labels
    assert evaluated(GPU["if"], runner)


def test_without_a_runner_there_is_no_job_and_never_for_a_strangers_code():
    assert not evaluated(GPU["if"], "")
    assert not evaluated(GPU["if"], "linux-gpu-t4", event="pull_request")


def test_the_gpus_report_is_shown_and_kept_when_a_notebook_fails():
    _, summary = [step for step in GPU["steps"] if "run" in step]
    upload = GPU["steps"][-1]
    assert "report/gpu.md" in summary["run"] and summary["if"] == upload["if"] == "${{ !cancelled() }}"
    assert upload["with"]["path"] == "report/" and upload["with"]["if-no-files-found"] == "error"
    assert re.search(r"test-gpu:.*\n.*REACH_REQUIRE_CUDA=1 .*-p tests\.cuda\b", MAKEFILE)


# --- at night ---


def test_every_night_the_mistakes_are_tried_on_more_seeds():
    job = JOBS["nightly.yml", "seeds"]
    assert int(job["env"]["REACH_SEEDS"]) > 1
    assert "make test" in runs(job)


def test_every_night_both_ends_of_what_is_promised_are_tried():
    rows = JOBS["nightly.yml", "ends"]["strategy"]["matrix"]["include"]
    lowest = PROJECT["requires-python"].removeprefix(">=")
    assert {row["target"]: row["python"] for row in rows} == {"test-newest": "3.13", "test-floor": lowest}


PYPROJECT = """
[project]
name = "reach-course"
dependencies = ["torch>=2.4", "jsonschema<4.25", "numpy>=1.26,<3"]
[project.optional-dependencies]
lab = ["jupyterlab>=4.2"]
deep = ["reach-course[lab]", "torch>=2.6", 'psycopg[binary]>=3.2.2; sys_platform != "win32"']
circle = ["reach-course[circle,deep]"]
"""


@pytest.mark.parametrize(
    "extras, expected",
    [
        ([], ["numpy==1.26", "torch==2.4"]),
        (["lab"], ["jupyterlab==4.2", "numpy==1.26", "torch==2.4"]),
        (["circle"], ["jupyterlab==4.2", "numpy==1.26", "psycopg==3.2.2", "torch==2.6"]),
    ],
)
def test_floors_are_the_lower_bounds_of_what_is_installed(extras, expected, tmp_path):
    (tmp_path / "pyproject.toml").write_text(PYPROJECT, encoding="utf-8")
    assert floors.floors(tmp_path / "pyproject.toml", extras) == expected


def test_an_extra_that_is_not_there_is_named(tmp_path):
    (tmp_path / "pyproject.toml").write_text(PYPROJECT, encoding="utf-8")
    with pytest.raises(KeyError, match="nothing"):
        floors.floors(tmp_path / "pyproject.toml", ["nothing"])


# --- the lock ---


def locked() -> dict[str, str]:
    lines = (COURSE / "requirements.lock").read_text(encoding="utf-8").splitlines()
    return {canonicalize_name(name): version for name, version in (line.split("==") for line in lines)}


def is_locked(found: Distribution) -> bool:
    """Whether it is the very version of the lock, as everywhere but in `make test-newest` and `make test-floor`."""
    return locked().get(canonicalize_name(found.metadata["Name"])) == found.version


def test_the_lock_has_a_version_for_all_that_is_asked_for():
    lists = [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()]
    for requirement in {Requirement(text) for one in lists for text in one}:
        if requirement.name != PROJECT["name"]:
            assert requirement.specifier.contains(locked()[canonicalize_name(requirement.name)]), requirement


@pytest.mark.parametrize("python", ["3.11.0", "3.12.0", "3.13.0"])
def test_what_is_locked_can_be_installed_on_every_python_that_is_promised(python):
    """`make lock` takes the newest for its own Python; what asks for 3.11.5 leaves out Debian 12. Pin an older one."""
    asked = {one.metadata["Name"]: one.metadata.get("Requires-Python") for one in distributions() if is_locked(one)}
    assert not {name: said for name, said in asked.items() if python not in SpecifierSet(said or "")}

"""Processes that judge: as many as were asked for, and one that dies takes nothing but its own work with it."""

import os
import time

import psutil
import pytest

from grading.pool import AHEAD, pool


def wait_and_name(seconds: float) -> int:
    time.sleep(seconds)
    return os.getpid()


def test_as_many_processes_judge_as_were_asked_for():
    for workers in (1, 3):
        with pool(None, workers, submissions=100) as judges:
            assert judges.slots == AHEAD * workers
            futures = [judges.submit(wait_and_name, 0.05) for _ in range(6 * workers)]
            used = {future.result() for future in futures}
            assert len(used) <= workers and os.getpid() not in used


def test_a_single_submission_is_judged_here():
    with pool(None, None, submissions=1) as judges:
        assert judges.submit(os.getpid).result() == os.getpid()


def test_after_a_death_there_are_processes_again():
    with pool(None, 1, submissions=2) as judges:
        with pytest.raises(judges.lost):
            judges.submit(os._exit, 1).result()
        assert judges.submit(max, 1, 2).result() == 2


def test_what_is_interrupted_leaves_no_process():
    started = []
    with pytest.raises(KeyboardInterrupt), pool(None, 1, submissions=2) as judges:
        started.append(judges.submit(os.getpid).result())
        judges.submit(time.sleep, 3600)
        raise KeyboardInterrupt
    psutil.wait_procs([psutil.Process(pid) for pid in started if psutil.pid_exists(pid)], timeout=30)
    assert not any(psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie" for pid in started)

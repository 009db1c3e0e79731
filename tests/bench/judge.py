"""pytest plugin that judges the mutants of mutmut: `tests/bench/mutation.py` starts it in the folder of mutants.

mutmut starts a session of pytest for every mutant; here the tests are collected and run once without a fault, to learn
which of them reach which function, and then each mutant is judged in a process that branches off. The tests that found
other faults of the same function run first. A mutant that a test hangs on is stopped after `PATIENCE_S`.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path

import mutmut.mutation.trampoline as trampoline
import pytest
from _pytest.runner import runtestprotocol

PATIENCE_S = 120
FOUND, MISSED = 1, 0
UNDER_TEST = "MUTANT_UNDER_TEST"


class Tests:
    """The tests by the functions that they reach, and how long each takes; what fails without a fault judges nothing."""

    def __init__(self, items: list[pytest.Item]) -> None:
        self.items: dict[str, pytest.Item] = {}
        self.seconds: dict[str, float] = {}
        self.reaching: dict[str, list[str]] = defaultdict(list)
        self.found: dict[str, Counter[str]] = defaultdict(Counter)
        reached: set[str] = set()
        trampoline.record_trampoline_hit = lambda name, caller=None: reached.add(name)
        os.environ[UNDER_TEST] = "stats"
        for item in items:
            reached.clear()
            begun = time.monotonic()
            if fails(item):
                sys.exit(f"{item.nodeid} fails without a fault")
            self.items[item.nodeid], self.seconds[item.nodeid] = item, time.monotonic() - begun
            for function in reached:
                self.reaching[function].append(item.nodeid)
        os.environ[UNDER_TEST] = ""

    def for_function(self, name: str) -> list[str]:
        """Those that reach a function: what found other faults of it first, then the quick ones."""
        found = self.found[name]
        return sorted(self.reaching[name], key=lambda test: (-found[test], self.seconds[test]))


def fails(item: pytest.Item) -> bool:
    return any(report.failed for report in runtestprotocol(item, nextitem=None, log=False))


def branch(tests: Tests, names: list[str], mutant: str, told: int) -> None:
    """In the child: run the tests until one fails; its place in the list is written for the parent."""
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    os.dup2(silent, 2)
    os.environ[UNDER_TEST] = mutant
    signal.alarm(PATIENCE_S)
    for place, name in enumerate(names):
        if fails(tests.items[name]):
            os.write(told, str(place).encode())
            os._exit(FOUND)
    os._exit(MISSED)


def judged(tests: Tests, mutant: str) -> str:
    """killed, survived, timeout, or no tests."""
    function = mutant.rpartition("__mutmut_")[0]
    names = tests.for_function(function)
    if not names:
        return "no tests"
    hear, told = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(hear)
        branch(tests, names, mutant, told)
    os.close(told)
    place = os.read(hear, 20)
    os.close(hear)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if place:
        tests.found[function][names[int(place)]] += 1
    return {MISSED: "survived", -signal.SIGALRM: "timeout"}.get(code, "killed")


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool:
    """In place of running the tests: judge the mutants named in a file, and write what became of each."""
    wanted = Path(os.environ["MUTANTS"]).read_text(encoding="utf-8").split()
    tests = Tests(session.items)
    gc.collect()
    gc.freeze()
    with Path(os.environ["RESULTS"]).open("w", encoding="utf-8") as results:
        for mutant in wanted:
            results.write(json.dumps([mutant, judged(tests, mutant)]) + "\n")
            results.flush()
    return True

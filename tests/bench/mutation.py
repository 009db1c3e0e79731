"""How many deliberate faults in the core the tests find: `python -m tests.bench.mutation organ` (or `make mutation`).

mutmut changes one operator, number or word at a time in a copy of the files as they stand; judge.py runs the tests that reach
each change. mutmut needs an older pytest than the lock file pins, so there is an environment of its own under build/. What is
mutated and by which tests it is judged stands in mutation.toml; the results and what the survivors are, in docs/mutation.md.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import subprocess
import tomllib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ("mutmut==3.8.0", "pytest==8.4.2")
COPIED = ("formulary", "interaction_data", "tests", "wsgi.py", "docs", "medsafe")
STATES = ("killed", "survived", "no tests", "timeout")
SEED = 8


def environment(place: Path) -> Path:
    """The environment with mutmut: the lock file with an older pytest. Returns its folder of commands."""
    commands = place / ".venv" / "bin"
    if not (commands / "mutmut").exists():
        locked = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
        wanted = [line for line in locked if not line.startswith("pytest==")]
        subprocess.run(["python3", "-m", "venv", place / ".venv"], check=True)
        subprocess.run([commands / "pip", "install", "-q", *wanted, *TOOLS], check=True)
    return commands


def copy_tree(place: Path) -> Path:
    """The tracked and new files of the working tree; results of an earlier run over unchanged functions stay."""
    tree = place / "tree"
    names = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    for name in filter(lambda name: (ROOT / name).is_file(), names.stdout.splitlines()):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, tree / name)
    return tree


def configure(tree: Path, files: list[str], tests: list[str]) -> None:
    """Say to mutmut what to mutate and which tests judge it."""
    settings = {"source_paths": ["medsafe/"], "only_mutate": files, "also_copy": list(COPIED)}
    settings["pytest_add_cli_args_test_selection"] = tests
    lines = "".join(f"{key} = {value!r}\n" for key, value in settings.items())
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (tree / "pyproject.toml").write_text(f"{text}\n[tool.mutmut]\n{lines}", encoding="utf-8")


def mutants(tree: Path) -> list[str]:
    """The names of all mutants that were made."""
    made = (json.loads(file.read_text(encoding="utf-8")) for file in sorted(tree.rglob("*.meta")))
    return sorted(name for file in made for name in file["exit_code_by_key"])


def judge(place: Path, tests: list[str], chosen: list[str]) -> dict[str, str]:
    """What becomes of each mutant, judged by one process for each processor."""
    running = []
    for number in range(processes := os.cpu_count() or 1):
        wanted, results = place / f"mutants-{number}", place / f"results-{number}"
        wanted.write_text("\n".join(chosen[number::processes]), encoding="utf-8")
        settings = {**os.environ, "MUTANT_UNDER_TEST": "", "MUTANTS": str(wanted), "RESULTS": str(results)}
        command = [
            place / ".venv/bin/python",
            "-m",
            "pytest",
            "-q",
            "-p",
            "tests.bench.judge",
            "-p",
            "no:cacheprovider",
        ]
        plain = ["--assert=plain", "--tb=no", *tests]
        running.append((subprocess.Popen([*command, *plain], cwd=place / "tree/mutants", env=settings), results))
    for process, results in running:
        if process.wait():
            raise SystemExit(f"{results.name}: the tests fail without a fault, or can't be run")
    lines = (line for _, results in running for line in results.read_text(encoding="utf-8").splitlines())
    return dict(map(json.loads, lines))


def room_of(name: str) -> str:
    """The module of a mutant.

    >>> room_of("medsafe.organ.renal.x_is_adult__mutmut_1")
    'organ/renal'
    """
    return "/".join(re.split(r"\.(?:x_|xǁ)", name)[0].split(".")[1:])


def run(part: str, place: Path, sample: int, again: bool, seed: int) -> dict[str, str]:
    """Run one part of mutation.toml; a sample is drawn from the sorted names."""
    wanted = tomllib.loads((Path(__file__).parent / "mutation.toml").read_text(encoding="utf-8"))[part]
    commands, tree, last = environment(place), copy_tree(place), place / "states.json"
    configure(tree, wanted["files"], wanted["tests"])
    # Makes the mutants; that none of them has this name it says with an error.
    subprocess.run([commands / "mutmut", "run", "none"], cwd=tree, check=False, stdout=subprocess.DEVNULL)
    chosen = mutants(tree / "mutants")
    if again:
        before = json.loads(last.read_text(encoding="utf-8"))
        chosen = [name for name in chosen if before.get(name) in ("survived", "no tests")]
    elif sample:
        chosen = sorted(random.Random(seed).sample(chosen, min(sample, len(chosen))))
    states = judge(place, wanted["tests"], chosen)
    last.write_text(json.dumps(states), encoding="utf-8")
    return states


def table(states: dict[str, str]) -> Iterable[str]:
    """Lines of a Markdown table: each module, and all."""
    yield "| module | mutants | killed | survived | not reached | timeout | share killed |"
    yield "|---|---|---|---|---|---|---|"
    for room in [*sorted({room_of(name) for name in states}), ""]:
        counts = Counter(state for name, state in states.items() if room in ("", room_of(name)))
        done = counts["killed"] + counts["timeout"]
        numbers = " | ".join(str(counts[state]) for state in STATES)
        yield f"| {room or 'all'} | {counts.total()} | {numbers} | {done / max(1, counts.total()):.1%} |"


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("part", help="a section of tests/bench/mutation.toml")
    ask.add_argument("--into", type=Path, default=ROOT / "build" / "mutation", help="where the copy is made")
    ask.add_argument("--sample", type=int, default=0, help="only so many mutants, drawn with a fixed seed")
    ask.add_argument("--seed", type=int, default=SEED, help="of the sample")
    ask.add_argument("--again", action="store_true", help="only those that survived last time")
    given = ask.parse_args()
    states = run(given.part, given.into / given.part.replace("/", "-"), given.sample, given.again, given.seed)
    print("\n".join(table(states)))
    print("\n".join(sorted(name for name, state in states.items() if state in ("survived", "no tests"))))


if __name__ == "__main__":
    main()

"""A pharmacologist writes a case from the template and judges it with one command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from medsafe.casebook import EXPECTATIONS, JUDGES, KEYS, judge
from medsafe.cli import main
from tests.serving import small_data

CASE = """
title = "two long-acting opioids"
[[request.regimen]]
drug = "morphine"
dose = 10
unit = "mg"
route = "oral"
times_per_day = 2
[[expect.find]]
drugs = ["morphine"]
hazard = ["missing-co-prescription"]
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = small_data(tmp_path / "data")
    (root / "tests" / "cases").mkdir(parents=True)
    return root


def run(root: Path, *words: str) -> Result:
    return CliRunner().invoke(main, ["data", *words, "--root", str(root)])


def write(root: Path, text: str, name: str = "laxative") -> None:
    (root / "tests" / "cases" / f"{name}.toml").write_text(text, encoding="utf-8")


def test_a_case_that_is_met_shows_what_the_service_says(root: Path) -> None:
    write(root, CASE)
    done = run(root, "cases", "laxative")
    assert done.exit_code == 0
    assert "missing-co-prescription (morphine)" in done.output
    assert "1 of 1 cases get what they expect" in done.output


FAULTS = [
    ('hazard = ["missing-co', 'hazard = ["bleeding", "co', "expected morphine bleeding|co-prescription"),
    ("hazard =", "hazrd =", "unknown key 'hazrd' in find; expected one of at_least, drugs, hazard"),
    ("expect.find", "expect.fnd", "unknown expectation 'fnd'"),
    ("[[expect.find]]", "[[expect.find]]\nat_least = 'dreadful'", "an expectation can't be read"),
    ("times_per_day = 2", "times_per_day = 'twice'", "regimen"),
    ("title =", "title", "cannot be read"),
    ("[[expect.find]]", "[[wish.find]]", "'expect' is missing"),
    ('drugs = ["morphine"]\n', "", "'drugs' is missing"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "words"), FAULTS)
def test_a_case_that_is_not_met_or_is_out_of_shape_is_told(root: Path, old: str, new: str, words: str) -> None:
    assert old in CASE
    write(root, CASE.replace(old, new, 1))
    done = run(root, "cases", "laxative")
    assert done.exit_code == 1
    assert words in done.output


def test_the_template_says_that_it_tests_nothing_yet_and_is_met_once_filled(root: Path) -> None:
    assert run(root, "new", "case", "codeine-in-pain").exit_code == 0
    assert run(root, "cases", "codeine-in-pain").exit_code == 1
    path = root / "tests" / "cases" / "codeine-in-pain.toml"
    text, expectations = path.read_text(encoding="utf-8").split("# [[expect.find]]", 1)
    keep = ("# [", "# drug", "# dose", "# unit", "# route", "# times", "# never_all_clear")
    lines = [line[2:] if line.startswith(keep) and "symptoms" not in line else line for line in text.splitlines()]
    path.write_text("\n".join(lines) + "\n# [[expect.find]]" + expectations, encoding="utf-8")
    done = run(root, "cases", "codeine-in-pain")
    assert done.exit_code == 0, done.output


def test_the_outcome_of_all_cases_can_be_read_by_a_machine(root: Path) -> None:
    write(root, CASE)
    write(root, CASE.replace("missing-co-prescription", "bleeding"), "wrong")
    done = run(root, "cases", "--json")
    assert done.exit_code == 1
    told = {row["case"]: len(row["missed"]) for row in json.loads(done.output)["cases"]}
    assert told == {"laxative": 0, "wrong": 1}


def test_every_list_of_expectations_names_its_keys() -> None:
    assert set(KEYS) == set(JUDGES) <= EXPECTATIONS
    assert list(judge({"not_suggest": [{"drgu": "x"}]}, {"suggestions": [], "findings": [], "notices": []}))

"""What the knowledge covers is counted as the files say; a sample names true places; a reference list is judged fairly."""

from __future__ import annotations

import csv
import json
import re
import tomllib
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from medsafe.cli import main
from medsafe.compare import ReferenceListError, compare_pairs, extras, summary
from medsafe.context.engine import Engine
from medsafe.library.coverage import DrugCoverage, coverage_of, document, totals
from medsafe.library.load import read_knowledge
from medsafe.library.sample import sample
from medsafe.service import load_engine
from tests.serving import small_data

MORPHINE = "formulary/drugs/morphine.toml"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return small_data(tmp_path / "data")


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return load_engine(small_data(tmp_path_factory.mktemp("engine") / "data"))


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(main, ["data", *map(str, words)])


def of(root: Path, drug: str, today: date = date(2026, 12, 1)) -> DrugCoverage:
    return next(d for d in coverage_of(read_knowledge(root)[0], today) if d.id == drug)


def change(root: Path, old: str, new: str) -> None:
    file = root / MORPHINE
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_a_section_rests_on_the_best_of_its_sources(root: Path) -> None:
    raw = tomllib.loads((root / MORPHINE).read_text(encoding="utf-8"))
    found = of(root, "morphine")
    assert sum(found.sections["doses"].rests_on.values()) == len(raw["dose_limits"]) + len(raw["route_rules"])
    assert sum(found.sections["hepatic"].rests_on.values()) == len(raw["hepatic"])
    before = found.sections["monitoring"].rests_on
    change(root, '[sources.us-label]\ntitle = "Morphine, US prescribing information"\nstatus = "recalled"',
           '[sources.us-label]\ntitle = "Morphine, US prescribing information"\nstatus = "opened"\nurl = "https://x"\nopened_on = 2026-11-23')  # fmt: skip
    assert of(root, "morphine").sections["monitoring"].rests_on["opened"] > before.get("opened", 0)


def test_a_gap_and_a_review_that_is_due_are_told(root: Path) -> None:
    change(root, 'hepatic = "complete"', 'hepatic = "gap"')
    change(root, "review_due_on = 2027-11-23", "review_due_on = 2026-12-01")
    assert (of(root, "morphine").complete, of(root, "morphine").due) == (False, True)
    assert not of(root, "morphine", date(2026, 11, 30)).due
    shown = run("coverage", "morphine", "--on", "2026-12-01", "--root", root).output
    assert "2026-12-01 DUE" in shown
    assert "1 due for review" in shown
    plain = json.loads(run("coverage", "morphine", "--on", "2026-12-01", "--json", "--root", root).output)
    assert plain["drugs"][0]["sections"]["hepatic"]["state"] == "gap"
    assert plain["totals"]["sections"]["hepatic"]["gap"] == 1


def test_the_page_says_the_states_and_no_value(root: Path) -> None:
    every = coverage_of(read_knowledge(root)[0], date(2026, 12, 1))
    page = document(every)
    change(root, "max = 15", "max = 14")
    assert document(coverage_of(read_knowledge(root)[0], date(2027, 3, 1))) == page
    change(root, 'hepatic = "complete"', 'hepatic = "partial"')
    assert document(coverage_of(read_knowledge(root)[0], date(2026, 12, 1))) != page
    assert re.search(r"\| morphine \| (c \| ){9}", page)
    assert f"{totals(every)['drugs']} drugs" in page


def test_the_page_is_written_by_the_command(root: Path, tmp_path: Path) -> None:
    page = tmp_path / "coverage.md"
    assert run("coverage", "--write", page, "--root", root).exit_code == 0
    assert page.read_text(encoding="utf-8") == document(coverage_of(read_knowledge(root)[0], date.today()))


def test_a_page_that_is_out_of_date_is_told_with_the_lines_and_the_command(root: Path, tmp_path: Path) -> None:
    page = tmp_path / "coverage.md"
    assert run("coverage", "--check", page, "--root", root).exit_code == 1
    run("coverage", "--write", page, "--root", root)
    change(root, "max = 15", "max = 14")
    assert run("coverage", "--check", page, "--root", root).exit_code == 0
    change(root, 'hepatic = "complete"', 'hepatic = "partial"')
    stale = run("coverage", "--check", page, "--root", root)
    assert stale.exit_code == 1
    assert "- | morphine" in stale.output
    assert f"medsafe data coverage --write {page}" in stale.output


def test_a_sample_names_the_line_on_which_the_value_stands(root: Path) -> None:
    for value in sample(root, 200, seed=5):
        line = (root / value.file).read_text(encoding="utf-8").splitlines()[value.line - 1]
        if value.file.endswith(".csv"):
            assert value.value in line
        else:
            assert re.match(rf"\s*{value.path.split('.')[-1]}\s*=|.*=\s*[{{\[]", line), (value, line)


def test_the_same_seed_draws_the_same_values_and_another_seed_others(root: Path) -> None:
    assert sample(root, 30, seed=5) == sample(root, 30, seed=5)
    assert sample(root, 30, seed=5) != sample(root, 30, seed=6)


def test_a_sample_can_be_read_by_a_machine_and_says_opened_or_recalled(root: Path) -> None:
    shown = json.loads(run("sample", "20", "--seed", "3", "--section", "dose_limits", "--json", "--root", root).output)
    assert len(shown["values"]) == 20
    assert {s["status"] for v in shown["values"] for s in v["sources"]} <= {
        "opened",
        "recalled",
        "unsourced",
        "derived",
    }
    assert run("sample", "5", "--section", "nothing", "--root", root).exit_code == 1


def pairs(path: Path, *rows: tuple[str, str, str], head: str = "drug_a,drug_b,severity") -> Path:
    with path.open("w", encoding="utf-8", newline="") as out:
        out.write(head + "\n")
        csv.writer(out).writerows(rows)
    return path


def test_pairs_are_judged_against_the_words_of_other_lists(tmp_path: Path, engine: Engine) -> None:
    rows = compare_pairs(
        pairs(
            tmp_path / "list.csv",
            ("fentanyl", "clarithromycin", "Major"),
            ("fentanyl", "clarithromycin", "contraindicated"),
            ("clarithromycin", "fentanyl", "minor"),
            ("paracetamol", "gabapentin", "significant"),
            ("paracetamol", "gabapentin", "none"),
            ("fentanyl", "clarithromycin", ""),
            ("fentanyl", "moondust", "Major"),
        ),
        engine,
    )
    assert rows[0].ours == "high"
    assert [row.verdict for row in rows] == ["same", "lower", "higher", "missed", "same", "unranked", "not held"]
    told = list(summary(rows))
    assert told[0] == "7 pairs, 6 of drugs that are held"
    assert any("missed 1 (100.0%)" in line for line in told)


def test_extras_are_pairs_that_the_list_leaves_out(tmp_path: Path, engine: Engine) -> None:
    rows = compare_pairs(
        pairs(tmp_path / "list.csv", ("fentanyl", "paracetamol", "minor"), ("clarithromycin", "gabapentin", "minor")),
        engine,
    )
    more = extras(rows, engine, "high")
    assert ("clarithromycin", "fentanyl") in [row.ids for row in more]
    assert not {row.ids for row in more} & {row.ids for row in rows}


@pytest.mark.parametrize("content", ["", "a,b,c\n1,2,3\n", "\x00"])
def test_a_file_that_is_no_list_of_pairs_is_refused(tmp_path: Path, engine: Engine, content: str) -> None:
    path = tmp_path / "list.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ReferenceListError):
        compare_pairs(path, engine)


def test_the_command_lists_misses_and_extras_and_can_be_read_by_a_machine(root: Path, tmp_path: Path) -> None:
    path = pairs(tmp_path / "list.csv", ("paracetamol", "gabapentin", "major"), ("fentanyl", "paracetamol", "minor"))
    shown = run("compare", path, "--extras", "low", "--root", root).output
    assert "Missed: 2" in shown
    assert "Extras, low or above" in shown
    plain = json.loads(run("compare", path, "--json", "--root", root).output)
    assert plain["verdicts"]["missed"] == 2

"""An edit of the data is shown field by field, with the pairs and patients it reaches."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from medsafe.cli import main
from medsafe.context.engine import Engine
from medsafe.impact import (
    SEVERITIES,
    burden_changes,
    dose_changes,
    impact_as_plain,
    impact_of,
    inherited_changes,
    pair_shifts,
    pairs_touched,
)
from medsafe.library.diff import FieldChange, RecordChange, RevisionError, data_at, record_changes, table_changes
from medsafe.library.load import read_knowledge
from medsafe.service import load_engine
from tests.serving import small_data

BLISS = '\n[[effects]]\neffect = "bleeding"\nweight = 3\nsources = ["unsourced"]\n'
CASE = """
title = "one order"
[request]
[[request.regimen]]
drug = "morphine"
dose = 10
unit = "mg"
route = "oral"
times_per_day = 2
[expect]
never_all_clear = true
"""


def git(root: Path, *words: str) -> None:
    who = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=main"]
    subprocess.run(["git", "-C", str(root), *who, *words], check=True, capture_output=True)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository whose HEAD holds the small data and one case."""
    found = small_data(tmp_path / "data")
    (found / "tests" / "cases").mkdir(parents=True)
    (found / "tests" / "cases" / "one-order.toml").write_text(CASE, encoding="utf-8")
    git(found, "init")
    git(found, "add", ".")
    git(found, "commit", "-m", "before")
    return found


def edit(root: Path, file: str, change: Callable[[str], str]) -> None:
    path = root / file
    before = path.read_text(encoding="utf-8")
    after = change(before)
    assert before != after
    path.write_text(after, encoding="utf-8")


def changes(root: Path) -> tuple[RecordChange, ...]:
    with data_at(root, "HEAD") as old:
        return record_changes(read_knowledge(old)[0], read_knowledge(root)[0])


def engines(root: Path) -> tuple[Engine, Engine]:
    with data_at(root, "HEAD") as old:
        return load_engine(old), load_engine(root)


def run(*words: str) -> Result:
    return CliRunner().invoke(main, ["data", *words])


def test_data_that_did_not_change_have_no_diff(root: Path) -> None:
    assert changes(root) == ()
    with data_at(root, "HEAD") as old:
        assert table_changes(old, root) == ()


def test_one_number_is_one_field(root: Path) -> None:
    before = read_knowledge(root)[0].drugs["morphine"]
    edit(root, "formulary/drugs/morphine.toml", lambda t: t.replace('summary = "', 'summary = "New. ', 1))
    (change,) = changes(root)
    assert (change.file, change.what) == ("formulary/drugs/morphine.toml", "changed")
    assert change.fields == (FieldChange("summary", before.summary, f"New. {before.summary}"),)


def test_a_row_put_in_does_not_make_the_others_look_changed(root: Path) -> None:
    row = (
        '\n[[cautions]]\nkind = "drug-disease"\nhazard = "drug-disease"\nseverity = "low"\n'
        'when = [{ fact = "age_years", above = 1 }]\ntext = "A new one."\nmanagement = ["Watch."]\n'
    )
    edit(root, "formulary/drugs/morphine.toml", lambda t: t.replace("\n[[cautions]]", row + "\n[[cautions]]", 1))
    (change,) = changes(root)
    (field,) = change.fields
    assert (field.before, field.after["text"]) == (None, "A new one.")


def test_a_record_that_came_or_went_is_told(root: Path) -> None:
    (root / "formulary" / "drugs" / "gabapentin.toml").unlink()
    found = {(c.section, c.id): c.what for c in changes(root)}
    assert found["drugs", "gabapentin"] == "removed"


def test_rows_of_a_name_table_are_told(root: Path) -> None:
    edit(root, "formulary/name_aliases.csv", lambda t: t + t.splitlines()[-1].replace(",", "x,", 1) + "\n")
    with data_at(root, "HEAD") as old:
        (table,) = table_changes(old, root)
    assert (table.file, len(table.added), table.removed) == ("formulary/name_aliases.csv", 1, ())


def _stops_inhibiting(text: str) -> str:
    """The record without any [[inhibits]] table."""
    head, *tables = text.split("\n[[inhibits]]")
    kept = [table[table.index("\n[") :] if "\n[" in table else "" for table in tables]
    return head + "".join(kept)


def test_a_pathway_taken_away_loses_the_pairs_that_it_made(root: Path) -> None:
    edit(root, "formulary/drugs/clarithromycin.toml", _stops_inhibiting)
    before, after = engines(root)
    pairs = pairs_touched(record_changes(before.knowledge, after.knowledge), before, after)
    assert all("clarithromycin" in pair for pair in pairs)
    lost = {s.drugs for s in pair_shifts(pairs, before, after) if s.what == "lost" and s.rule.startswith("pathway:")}
    assert ("clarithromycin", "fentanyl") in lost


def test_an_effect_given_to_a_class_reaches_its_members(root: Path) -> None:
    name = read_knowledge(root)[0].drugs["gabapentin"].classes[0]
    row = '\n[[effects]]\neffect = "qt-prolongation"\nweight = 3\nsources = ["unsourced"]\n'
    edit(root, f"formulary/classes/{name}.toml", lambda t: t + row)
    before, after = engines(root)
    gained = {row.drug: row.gained for row in inherited_changes(before, after)}
    assert any("qt-prolongation" in text for text in gained["gabapentin"])
    pairs = pairs_touched(record_changes(before.knowledge, after.knowledge), before, after)
    shifts = pair_shifts(pairs, before, after)
    assert any("gabapentin" in s.drugs and s.hazard == "qt-prolongation" and s.what == "new" for s in shifts)


def test_only_pairs_that_may_differ_are_compared(root: Path) -> None:
    edit(root, "formulary/drugs/morphine.toml", lambda t: t.replace('summary = "', 'summary = "New. ', 1))
    before, after = engines(root)
    assert pairs_touched(record_changes(before.knowledge, after.knowledge), before, after) == ()


def test_the_command_shows_the_cases_that_change(root: Path) -> None:
    _stricter(root)
    shown = run("diff", "--root", str(root))
    assert shown.exit_code == 0, shown.output
    assert "case one-order" in shown.output
    assert "max-dose-exceeded none ->" in shown.output


def _stricter(root: Path) -> None:
    """A daily limit far below what the case takes."""
    row = '\n[[dose_limits]]\nkind = "daily"\nmax = 1\nseverity = "high"\nadvice = "Less."\nsources = ["unsourced"]\n'
    edit(root, "formulary/drugs/morphine.toml", lambda t: t.replace("\n[[dose_limits]]", row + "\n[[dose_limits]]", 1) if "\n[[dose_limits]]" in t else t + row)  # fmt: skip


def test_the_command_speaks_json(root: Path) -> None:
    _stricter(root)
    found = json.loads(run("diff", "HEAD", "--json", "--root", str(root)).stdout)
    assert [r["id"] for r in found["records"]] == ["morphine"]
    assert found["cases"][0]["shifts"][0]["before"] == "none"
    assert found["before"]["digest"] != found["after"]["digest"]


def test_data_with_errors_can_still_be_compared_and_the_errors_are_told(root: Path) -> None:
    edit(root, "formulary/drugs/morphine.toml", lambda t: "silly = 1\n" + t)
    shown = run("diff", "--root", str(root))
    assert shown.exit_code == 0, shown.output
    assert "hold 1 errors" in shown.output
    assert "removed  formulary/drugs/morphine.toml" in shown.output


@pytest.mark.parametrize("line", ["dialysis_shown", "slip_from"])
def test_data_of_a_form_that_is_no_longer_read_are_refused_in_words(root: Path, line: str) -> None:
    file = root / "interaction_data/policy.toml"
    today = file.read_text(encoding="utf-8")
    file.write_text("".join(t for t in today.splitlines(True) if not t.startswith(line)), encoding="utf-8")
    git(root, "commit", "-am", "an older form")
    file.write_text(today, encoding="utf-8")
    shown = run("diff", "--root", str(root))
    assert shown.exit_code == 1
    assert "Error: the data at HEAD can't be compiled" in shown.output
    assert "compare with a later revision" in shown.output
    assert "Traceback" not in shown.output


@pytest.mark.parametrize("revision", ["nowhere", "--output=/tmp/x", "HEAD:tests"])
def test_a_revision_that_is_none_is_refused(root: Path, revision: str) -> None:
    with pytest.raises(RevisionError), data_at(root, revision):
        pass


def _lines(*bodies: Any) -> list[bytes]:
    return [body if isinstance(body, bytes) else json.dumps(body).encode() for body in bodies]


def regimen(dose: float) -> dict[str, Any]:
    return {"regimen": [{"drug": "morphine", "dose": dose, "unit": "mg", "route": "oral", "times_per_day": 2}]}


def test_the_impact_is_counted_per_thousand_orders_with_examples(root: Path) -> None:
    _stricter(root)
    before, after = engines(root)
    found = impact_as_plain(impact_of(_lines(regimen(10), regimen(0.1), regimen(20), regimen(30)), before, after))
    assert (found["regimens"], found["orders"]) == (4, 4)
    rule = next(r for r in found["rules"] if r["rule"].startswith("limit:"))
    assert (rule["findings"]["before"], rule["findings"]["after"]) == (0.0, 750.0)
    assert [e["line"] for e in rule["examples"]] == [1, 3, 4]
    assert found["rules"][0] == rule


def test_lines_that_can_not_be_read_are_told_without_their_values(root: Path) -> None:
    before, after = engines(root)
    lines = _lines(b"{", b"[]", b"", {"regimen": [{"drug": "morphine", "dose": "Smith"}]}, regimen(10))
    found = impact_as_plain(impact_of(lines, before, after))
    assert [row["line"] for row in found["unreadable"]] == [1, 2, 4]
    assert "Smith" not in json.dumps(found)
    assert found["unreadable"][2]["why"] == "breaks the schema at regimen[0].dose"
    assert found["regimens"] == 1


def test_the_impact_command_speaks_to_people_and_to_machines(root: Path, tmp_path: Path) -> None:
    _stricter(root)
    file = tmp_path / "regimens.ndjson"
    file.write_bytes(b"\n".join(_lines(regimen(10), regimen(20))))
    shown = run("impact", str(file), "--root", str(root))
    assert "2 regimens, 2 orders" in shown.output
    assert "limit:morphine" in shown.output
    found = json.loads(run("impact", str(file), "--json", "--root", str(root)).stdout)
    assert found["per_1000_orders"]["findings"]["after"] > found["per_1000_orders"]["findings"]["before"]


def test_a_file_without_one_readable_regimen_fails(root: Path, tmp_path: Path) -> None:
    file = tmp_path / "regimens.ndjson"
    file.write_bytes(b"nonsense\n")
    assert run("impact", str(file), "--root", str(root)).exit_code == 1


def test_burdens_and_doses_that_are_newly_reached_are_told(root: Path) -> None:
    edit(root, "formulary/drugs/morphine.toml", lambda t: t.replace("dose_factor = 0.5", "dose_factor = 0.4", 1))
    edit(root, "formulary/drugs/paracetamol.toml", lambda t: t + BLISS)
    before, after = engines(root)
    (dose,) = dose_changes(before, after)
    assert (dose.drug, dose.where) == ("morphine", "crcl 30 to 60")
    assert "0.5 of the dose" in dose.before
    assert "0.4 of the dose" in dose.after
    assert ("paracetamol", "bleeding", "nothing", "3") in [
        (r.drug, r.where, r.before, r.after) for r in burden_changes(before, after)
    ]


def test_the_most_serious_pairs_are_shown_first(root: Path) -> None:
    edit(root, "formulary/drugs/paracetamol.toml", lambda t: t + BLISS)
    shown = run("diff", "--root", str(root)).output.split("Findings between two drugs")[1]
    ranks = [
        SEVERITIES.index(line.split(" -> ")[1].split()[0]) for line in shown.splitlines() if line.startswith("new")
    ]
    assert ranks == sorted(ranks, reverse=True)
    assert ranks


@pytest.mark.parametrize("text", ['title = "new"\n', "title", "[request]\nregimen = 3\n[expect]\n"])
def test_a_case_that_is_still_being_written_is_told_and_the_others_are_compared(root: Path, text: str) -> None:
    (root / "tests" / "cases" / "half.toml").write_text(text, encoding="utf-8")
    shown = run("diff", "--root", str(root))
    assert shown.exit_code == 0, shown.output
    assert "case half" in shown.output
    assert "the case can't be judged" in shown.output

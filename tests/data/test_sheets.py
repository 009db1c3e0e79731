"""A section goes out as a spreadsheet and comes back: only what was edited changes, and nothing wrong gets in."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from openpyxl import load_workbook

from medsafe.cli import main
from medsafe.library.sections import Section, rows_of, sections, with_columns
from medsafe.library.sheet_import import ImportRefusedError, edits_of, texts_of
from medsafe.library.sheets import Origin, SheetError, read_sheet, write_csv, write_xlsx
from medsafe.library.toml_text import TomlTextError, blocks, line_of, with_row, with_values, without
from tests.conftest import ROOT
from tests.serving import small_data

MORPHINE = "formulary/drugs/morphine.toml"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return small_data(tmp_path / "data")


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(main, ["data", *map(str, words)])


def everything(root: Path) -> dict[str, bytes]:
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def exported(root: Path, section: str, name: str = "sheet.xlsx", *records: str) -> Path:
    path = root.parent / name
    flag = "--csv" if name.endswith(".csv") else "--xlsx"
    assert run("export", section, *records, flag, path, "--root", root).exit_code == 0
    return path


def edited(path: Path, change: Callable[[Any, list[str]], None]) -> Path:
    """The workbook as a pharmacologist saves it: `change` gets the sheet and the names of its columns."""
    book = load_workbook(path)
    sheet = book.worksheets[0]
    change(sheet, [cell.value for cell in sheet[1]])
    book.save(path)
    return path


def find(sheet: Any, record: str, row: str) -> int:
    return next(n for n, r in enumerate(sheet.iter_rows(values_only=True), 1) if (r[0], str(r[1])) == (record, row))


def put(record: str, row: str, column: str, value: Any) -> Callable[[Any, list[str]], None]:
    return lambda sheet, names: sheet.cell(find(sheet, record, row), names.index(column) + 1, value) and None


def take_in(path: Path, root: Path, *words: str) -> Result:
    return run("import", path, "--root", root, *words)


@pytest.mark.parametrize("name", sorted(sections()))
def test_a_section_that_comes_back_untouched_asks_for_nothing(name: str, tmp_path: Path) -> None:
    section = with_columns(sections()[name], ROOT)
    every = rows_of(section, ROOT)
    only = tuple(sorted({row.record for row in every[:300]}))
    rows = tuple(row for row in every if row.record in only)
    for path, write in ((tmp_path / "s.xlsx", write_xlsx), (tmp_path / "s.csv", write_csv)):
        write(path, section, rows, Origin("v", "d", only))
        sheet = read_sheet(path, lambda _, columns=section.columns: columns)
        assert edits_of(section, sheet, every, ROOT) == ()


@pytest.mark.parametrize("file", ["sheet.xlsx", "sheet.csv"])
def test_an_untouched_export_changes_no_byte(root: Path, file: str) -> None:
    before = everything(root)
    for section in ("dose_limits", "hepatic", "drugs", "opioid_conversion"):
        done = take_in(exported(root, section, file), root)
        assert done.exit_code == 0
        assert "changes nothing" in done.output
    assert everything(root) == before


def test_an_edited_cell_changes_its_line_and_no_other(root: Path) -> None:
    file = root / MORPHINE
    text = file.read_text(encoding="utf-8").replace("max = 15\n", "max = 15  # the label's upper end\n", 1)
    file.write_text(text, encoding="utf-8")
    done = take_in(edited(exported(root, "dose_limits"), put("morphine", "1", "max", 12)), root)
    assert done.exit_code == 0
    assert "max: 15 -> 12" in done.output
    assert file.read_text(encoding="utf-8") == text.replace("max = 15  #", "max = 12  #", 1)


def test_a_dry_run_shows_the_change_and_writes_nothing(root: Path) -> None:
    before = everything(root)
    done = take_in(edited(exported(root, "dose_limits"), put("morphine", "1", "max", 12)), root, "--dry-run")
    assert done.exit_code == 0
    assert "max: 15 -> 12" in done.output
    assert everything(root) == before


def test_rows_are_added_changed_and_removed_in_one_go(root: Path) -> None:
    def change(sheet: Any, names: list[str]) -> None:
        put("morphine", "1", "scope.routes", "oral\nrectal")(sheet, names)
        sheet.delete_rows(find(sheet, "morphine", "4"))
        new = {"record": "morphine", "kind": "daily", "max": 400, "scope.routes": "oral", "sources": "us-label#2"}
        sheet.append([new.get(name) for name in names])

    was = tomllib.loads((root / MORPHINE).read_text(encoding="utf-8"))["dose_limits"]
    done = take_in(edited(exported(root, "dose_limits"), change), root)
    assert done.exit_code == 0, done.output
    now = tomllib.loads((root / MORPHINE).read_text(encoding="utf-8"))["dose_limits"]
    was[0]["scope"]["routes"] = ["oral", "rectal"]
    added = {"kind": "daily", "max": 400, "scope": {"routes": ["oral"]}, "sources": ["us-label#2"]}
    assert now == [*was[:3], *was[4:], added]


def test_a_named_row_is_added_under_its_name(root: Path) -> None:
    def change(sheet: Any, names: list[str]) -> None:
        new = {"record": "morphine", "row": "cholestasis", "action": "monitor", "advice": "x", "sources": "us-label#8"}
        sheet.append([new.get(name) for name in names])

    assert take_in(edited(exported(root, "hepatic"), change), root).exit_code == 0
    hepatic = tomllib.loads((root / MORPHINE).read_text(encoding="utf-8"))["hepatic"]
    assert list(hepatic) == ["A", "B", "C", "cholestasis"]
    assert hepatic["cholestasis"] == {"action": "monitor", "advice": "x", "sources": ["us-label#8"]}


def test_a_csv_table_keeps_its_other_lines_as_they_were(root: Path) -> None:
    path = exported(root, "opioid_conversion", "sheet.csv")
    lines = list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines()))
    factor = lines[1].index("factor")
    lines[3][factor] = "9.5"
    with path.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out, delimiter=";").writerows(lines)
    table = root / "formulary" / "opioid_conversion.csv"
    before = table.read_bytes().splitlines()
    assert take_in(path, root).exit_code == 0
    after = table.read_bytes().splitlines()
    assert [n for n, (a, b) in enumerate(zip(before, after, strict=True)) if a != b] == [2]


def test_errors_refuse_the_whole_sheet_and_all_are_told(root: Path) -> None:
    def change(sheet: Any, names: list[str]) -> None:
        put("morphine", "1", "kind", "hourly")(sheet, names)
        put("fentanyl", "1", "severity", "dreadful")(sheet, names)

    before = everything(root)
    done = take_in(edited(exported(root, "dose_limits"), change), root)
    assert done.exit_code == 1
    assert "hourly" in done.output
    assert "dreadful" in done.output
    assert "nothing was written" in done.output
    assert everything(root) == before


def test_cells_that_cannot_be_read_are_told_with_line_and_column(root: Path) -> None:
    def change(sheet: Any, names: list[str]) -> None:
        put("morphine", "1", "max", "about 15")(sheet, names)
        put("morphine", "2", "when", "{ age over 75")(sheet, names)
        put("morphine", "4", "scope.regular_only", "perhaps")(sheet, names)

    done = take_in(edited(exported(root, "dose_limits"), change), root)
    assert done.exit_code == 1
    for words in ("column max: 'about 15' is not a number", "column when: can't be read", "column scope.regular_only"):
        assert words in done.output


def test_a_workbook_of_older_data_is_merged_with_what_others_changed(root: Path) -> None:
    path = edited(exported(root, "dose_limits"), put("morphine", "1", "max", 12))
    file = root / MORPHINE
    text = file.read_text(encoding="utf-8")
    inserted = '[[dose_limits]]\nkind = "frequency"\nmax = 6\nsources = ["us-label#2"]\n\n[[dose_limits]]'
    file.write_text(text.replace("[[dose_limits]]", inserted, 1), encoding="utf-8")
    done = take_in(path, root)
    assert done.exit_code == 0
    assert "merged into later data" in done.output
    limits = tomllib.loads(file.read_text(encoding="utf-8"))["dose_limits"]
    assert [(row["kind"], row["max"]) for row in limits[:2]] == [("frequency", 6), ("naive-single", 12)]


def test_two_edits_of_one_row_are_a_conflict(root: Path) -> None:
    path = edited(exported(root, "dose_limits"), put("morphine", "1", "max", 12))
    file = root / MORPHINE
    file.write_text(file.read_text(encoding="utf-8").replace("max = 15", "max = 14", 1), encoding="utf-8")
    before = everything(root)
    done = take_in(path, root)
    assert done.exit_code == 1
    assert "morphine 1 was changed by someone else" in done.output
    assert everything(root) == before


def test_a_csv_of_older_data_is_refused(root: Path) -> None:
    path = exported(root, "dose_limits", "sheet.csv")
    file = root / MORPHINE
    file.write_text(file.read_text(encoding="utf-8").replace("max = 15", "max = 14", 1), encoding="utf-8")
    done = take_in(path, root)
    assert done.exit_code == 1
    assert "has changed since this CSV was exported" in done.output


def test_many_removed_rows_must_be_announced(root: Path) -> None:
    path = edited(exported(root, "monitoring"), lambda sheet, _: sheet.delete_rows(2, 7))
    before = everything(root)
    done = take_in(path, root)
    assert done.exit_code == 1
    assert "--removing 7" in done.output
    assert everything(root) == before
    assert take_in(path, root, "--removing", "7").exit_code == 0


def test_a_sheet_of_some_records_leaves_the_others_alone(root: Path) -> None:
    path = edited(exported(root, "dose_limits", "sheet.xlsx", "morphine"), put("morphine", "1", "max", 12))
    before = everything(root)
    assert take_in(path, root).exit_code == 0
    after = everything(root)
    assert {file for file in after if after[file] != before[file]} == {MORPHINE}


MESSAGES = [
    ("the row of another record", lambda s, n: s.append(["aspirin tablets", None, "daily"]), "unknown record"),
    ("a number that was not there", lambda s, n: s.append(["morphine", "99", "daily"]), "there was no row 99"),
    ("a row twice", lambda s, n: s.append(["morphine", "1", "daily", 5]), "stands 2 times"),
    ("a column that is gone", lambda s, n: s.delete_cols(4), "is missing"),
    ("a column too many", lambda s, n: s.cell(1, len(n) + 1, "maxx"), "did you mean 'max'"),
    ("the record column gone", lambda s, n: s.delete_cols(1), "the column 'record' is missing"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "change", "words"), MESSAGES, ids=[m[0] for m in MESSAGES])
def test_a_sheet_out_of_shape_is_refused_with_the_reason(root: Path, what: str, change: Any, words: str) -> None:
    before = everything(root)
    done = take_in(edited(exported(root, "dose_limits"), change), root)
    assert done.exit_code == 1
    assert words in done.output
    assert everything(root) == before


@pytest.mark.parametrize("content", [b"", b"drug,dose\nmorphine,10\n", b"\xff\xfe\x00", b"PK\x03\x04 half"])
@pytest.mark.parametrize("name", ["mine.csv", "mine.xlsx"])
def test_a_file_that_is_no_sheet_of_ours_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(SheetError):
        read_sheet(path, lambda _: ())


def test_a_section_with_a_slip_of_the_keyboard_is_named(root: Path) -> None:
    done = run("export", "dose limit", "--root", root)
    assert done.exit_code == 1
    assert "did you mean dose_limits" in done.output


# --- the edits of a file -------------------------------------------------------------------------------------------

TOML = """# head
name = "a"    # the name

# about the first
[[rows]]
kind = "x"  # keep me
words = [
    "one",
    "two",
]

# about the second
[[rows]]
kind = "y"

[kept.inner]
value = 1
"""


def test_a_value_changes_in_place_with_its_comment() -> None:
    assert with_values(TOML, ("rows", 0), {"kind": "z"}) == TOML.replace('kind = "x"', 'kind = "z"')


def test_a_list_on_several_lines_stays_on_several_lines() -> None:
    changed = with_values(TOML, ("rows", 0), {"words": ["one"]})
    assert changed == TOML.replace('    "two",\n', "")


def test_a_removed_row_takes_its_lines_and_leaves_the_comment_of_the_next() -> None:
    changed = without(TOML, ("rows", 0))
    assert "# about the second\n[[rows]]" in changed
    assert '"one"' not in changed


def test_a_new_row_stands_after_its_like() -> None:
    changed = with_row(TOML, ("rows",), {"kind": "z", "scope": {"routes": ["oral"]}}, True)
    assert 'kind = "y"\n\n[[rows]]\nkind = "z"\nscope = { routes = ["oral"] }\n\n[kept.inner]' in changed


def test_a_layout_that_cannot_be_edited_safely_is_refused() -> None:
    with pytest.raises(TomlTextError, match="by hand"):
        with_values('rows = [{ kind = "x" }]\n', ("rows", 0), {"kind": "y"})


def test_the_line_of_a_value_is_found() -> None:
    assert line_of(TOML, ("rows", 1), "kind") == 14
    assert [block.address for block in blocks(TOML)] == [(), ("rows", 0), ("rows", 1), ("kept", "inner")]


def test_every_record_can_be_edited_row_by_row() -> None:
    section: Section = sections()["renal.bands"]
    rows = rows_of(section, ROOT)
    for row in rows[::40]:
        text = (ROOT / row.file).read_text(encoding="utf-8")
        changed = with_values(text, row.address, {"advice": "Changed."})
        assert sum(a != b for a, b in zip(text.splitlines(), changed.splitlines(), strict=False)) >= 1
        assert without(text, row.address) != text


def test_the_texts_are_refused_together_with_every_reason() -> None:
    section = sections()["dose_limits"]
    rows = [row for row in rows_of(section, ROOT) if row.record == "morphine"]
    from medsafe.library.sheet_import import Edit

    edits = [Edit("morphine", n, row, {"max": "much"}) for n, row in enumerate(rows[:2])]
    with pytest.raises(ImportRefusedError) as refused:
        texts_of(section, edits, ROOT)
    assert len(refused.value.problems) == 2

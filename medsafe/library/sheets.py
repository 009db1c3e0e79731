"""A section as a spreadsheet, XLSX or CSV, out and back in.

A sheet carries where it came from: the version and digest of the data, and what the section said, so that what was
edited can be told from what others have changed meanwhile.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from openpyxl import Workbook, load_workbook
from openpyxl.cell.cell import TYPE_STRING
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet.datavalidation import DataValidation

from medsafe.library.sections import NUMBER, RECORD, ROW, Column, Section, section_digest, tidy
from medsafe.library.sections import Row as DataRow

ABOUT = "medsafe"
MARK = "#medsafe"
HEAD = ("section", "version", "digest", "section_digest")
WIDE = ("advice", "text", "management", "summary", "plain_language", "rationale", "title", "when", "sources")
# Longest list of words that a spreadsheet takes as the choices of a cell.
LONGEST_LIST = 250
EXTRA_ROWS = 500


class SheetError(Exception):
    """The file is no sheet of ours; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One line of a sheet: `line` as the spreadsheet counts it; `row` is empty for a new row."""

    line: int
    record: str
    row: str
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet as it came back. `base` names the rows that were exported, by record and row; a CSV has none.
    `only` names the records that were exported; empty when all were.
    """

    section: str
    version: str
    digest: str
    section_digest: str
    only: tuple[str, ...]
    columns: tuple[str, ...]
    rows: tuple[SheetRow, ...]
    base: tuple[tuple[str, str, str], ...] | None


def _header(section: Section) -> list[str]:
    return [RECORD, ROW, *(column.name for column in section.columns)]


def _line(row: DataRow, section: Section) -> list[str]:
    return [row.record, row.row, *(row.cells[column.name] for column in section.columns)]


def _put(cell: Any, text: str, numeric: bool) -> None:
    """Numbers as numbers, so that they sort; everything else as text, so that nothing turns into a formula or a date."""
    if not text:
        return
    if numeric and NUMBER.fullmatch(text):
        cell.value = float(text) if not text.lstrip("-").isdigit() else int(text)
    else:
        cell.value, cell.data_type, cell.number_format = text, TYPE_STRING, "@"
        cell.alignment = Alignment(wrap_text="\n" in text, vertical="top")


def _choices(sheet: Any, section: Section, rows: int) -> None:
    for number, column in enumerate(section.columns, 3):
        words = ",".join(column.choices)
        if column.choices and len(words) < LONGEST_LIST and column.kind == "text":
            rule = DataValidation(type="list", formula1=f'"{words}"', allow_blank=True, showErrorMessage=False)
            letter = get_column_letter(number)
            rule.add(f"{letter}2:{letter}{rows + EXTRA_ROWS}")
            sheet.add_data_validation(rule)


def _dress(sheet: Any, section: Section) -> None:
    sheet.freeze_panes = "C2"
    sheet.auto_filter.ref = sheet.dimensions
    for number, name in enumerate(_header(section), 1):
        sheet.cell(1, number).font = Font(bold=True)
        wide = name.split(".")[-1] in WIDE
        sheet.column_dimensions[get_column_letter(number)].width = 44 if wide else max(10, min(24, len(name) + 4))


@dataclass(frozen=True, slots=True)
class Origin:
    """The data a sheet is made from, and to which records it is limited."""

    version: str
    digest: str
    only: tuple[str, ...] = ()


def _mark(section: Section, rows: Sequence[DataRow], origin: Origin) -> list[str]:
    return [MARK, section.name, origin.version, origin.digest, section_digest(rows), " ".join(origin.only)]


def write_xlsx(path: Path, section: Section, rows: Sequence[DataRow], origin: Origin) -> None:
    """Write a section as a workbook: the rows to edit, and a hidden sheet that remembers what they were."""
    book = Workbook()
    sheet = book.active
    sheet.title = section.name
    sheet.append(_header(section))
    for number, row in enumerate(rows, 2):
        for place, (text, kind) in enumerate(zip(_line(row, section), _kinds(section), strict=True), 1):
            _put(sheet.cell(number, place), text, kind in ("number", "share"))
    _dress(sheet, section)
    _choices(sheet, section, len(rows))
    about = book.create_sheet(ABOUT)
    about.sheet_state = "hidden"
    about.append(_mark(section, rows, origin))
    for row in rows:
        about.append([row.record, row.row, row.print])
    book.save(path)


def _kinds(section: Section) -> list[str]:
    return ["text", "text", *(column.kind for column in section.columns)]


def write_csv(path: Path, section: Section, rows: Sequence[DataRow], origin: Origin) -> None:
    """Write a section as CSV; its first line says where it came from."""
    text = io.StringIO()
    out = csv.writer(text, lineterminator="\r\n")
    out.writerow(_mark(section, rows, origin))
    out.writerow(_header(section))
    out.writerows(_line(row, section) for row in rows)
    path.write_text(text.getvalue(), encoding="utf-8-sig", newline="")


# --- back in -------------------------------------------------------------------------------------------------------


def _about(cells: Sequence[Any]) -> dict[str, Any]:
    words = [str(cell or "") for cell in cells]
    if not words or words[0] != MARK or len(words) < 5:
        raise SheetError("this file does not say which section it holds: export one with `medsafe data export`")
    only = tuple(words[5].split()) if len(words) > 5 else ()
    return {**dict(zip(HEAD, words[1:5], strict=True)), "only": only}


def _sheet_rows(
    lines: Iterator[tuple[int, Sequence[Any]]], columns: Sequence[str], kinds: Mapping[str, str]
) -> Iterator[SheetRow]:
    for number, line in lines:
        cells = {name: tidy(value, kinds.get(name, "text")) for name, value in zip(columns, line, strict=False) if name}
        if any(cells.values()):
            yield SheetRow(number, cells.pop(RECORD, ""), cells.pop(ROW, ""), cells)


def _columns(line: Sequence[Any]) -> tuple[str, ...]:
    names = [str(cell or "").strip() for cell in line]
    while names and not names[-1]:
        names.pop()
    for name in (RECORD, ROW):
        if name not in names:
            raise SheetError(f"the column {name!r} is missing: keep the first line as it was exported")
    return tuple(names)


def _made(about: dict[str, Any], columns: tuple[str, ...], rows: Iterator[SheetRow], base: Any) -> Sheet:
    return Sheet(**about, columns=columns, rows=tuple(rows), base=base)


def _read_xlsx(path: Path, kinds_of: Any) -> Sheet:
    try:
        book = load_workbook(path, data_only=True)
    except (InvalidFileException, BadZipFile, OSError, KeyError, ValueError) as error:
        raise SheetError(f"{path.name} can't be read as XLSX ({error})") from None
    if ABOUT not in book.sheetnames:
        raise SheetError("the hidden sheet that says where the data came from is gone: export again and edit that")
    kept = list(book[ABOUT].iter_rows(values_only=True))
    about = _about(kept[0] if kept else ())
    if about["section"] not in book.sheetnames:
        raise SheetError(f"there is no sheet {about['section']!r}: keep its name")
    lines = list(book[about["section"]].iter_rows(values_only=True))
    columns = _columns(lines[0] if lines else ())
    base = tuple((str(record), str(row or ""), str(print_)) for record, row, print_ in (line[:3] for line in kept[1:]))
    return _made(about, columns, _sheet_rows(iter(enumerate(lines[1:], 2)), columns, kinds_of(about["section"])), base)


def _delimiter(first: str) -> str:
    rest = first.lstrip("\ufeff").strip('"').removeprefix(MARK).lstrip('"')
    return rest[:1] if rest[:1] in (",", ";", "\t") else ","


def _read_csv(path: Path, kinds_of: Any) -> Sheet:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SheetError(f"{path.name} can't be read as CSV in UTF-8 ({error})") from None
    lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text.split("\n", 1)[0])))
    about = _about(lines[0] if lines else ())
    columns = _columns(lines[1] if len(lines) > 1 else ())
    return _made(about, columns, _sheet_rows(iter(enumerate(lines[2:], 3)), columns, kinds_of(about["section"])), None)


def read_sheet(path: Path, columns_of: Any) -> Sheet:
    """A sheet as it came back; `columns_of` gives the columns of a section by its name.

    Raises
    ------
    SheetError: when the file is not a sheet that was exported.
    """

    def kinds_of(section: str) -> dict[str, str]:
        found: Sequence[Column] = columns_of(section)
        return {column.name: column.kind for column in found}

    return (_read_xlsx if path.suffix.casefold() == ".xlsx" else _read_csv)(path, kinds_of)

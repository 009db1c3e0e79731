"""An edited sheet back into the files: what was edited is found, met with what others changed, and written.

Only cells that differ from what was exported count, so a sheet that comes back untouched changes no byte. Every
problem is told at once, with the line of the sheet; with one problem nothing is written.
"""

from __future__ import annotations

import csv
import difflib
import io
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from medsafe.library.sections import CellError, Column, Row, Section, fingerprint, section_digest, value_of
from medsafe.library.sheets import Sheet, SheetRow
from medsafe.library.toml_text import Address, TomlTextError, with_row, with_values, without

# From this many removed rows on they must be announced: a filtered or half-copied sheet looks just like it.
FEW_REMOVED = 5
Key = tuple[str, str]


class ImportRefusedError(Exception):
    """The sheet can't be taken in; `problems` lists everything that is wrong with it."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__(f"{len(self.problems)} problems in the sheet")


@dataclass(frozen=True, slots=True)
class Edit:
    """What a sheet asks of one row: `row` is None for a new one, `cells` holds what differs (None: take it out)."""

    record: str
    line: int
    row: Row | None
    cells: Mapping[str, str] | None
    key: str = ""

    @property
    def what(self) -> str:
        return "added" if self.row is None else "removed" if self.cells is None else "changed"


@dataclass
class _Merge:
    section: Section
    sheet: Sheet
    current: Sequence[Row]
    records: set[str]
    problems: list[str] = field(default_factory=list)

    def wrong(self, line: int, text: str) -> None:
        self.problems.append(f"line {line} of the sheet: {text}" if line else text)

    def places(self) -> dict[Key, Row | None]:
        """Each exported row where it stands today; None where someone has changed or removed it since."""
        if self.sheet.base is None:
            if self.sheet.section_digest != section_digest(self.current):
                text = (
                    f"the section {self.section.name} has changed since this CSV was exported (from {self.sheet.version}, "
                    f"{self.sheet.digest[:12]}). Export it again and repeat the edit, or use XLSX, which can be merged"
                )
                raise ImportRefusedError([text])
            return {(row.record, row.row): row for row in self.current}
        left = list(self.current)
        found: dict[Key, Row | None] = {}
        for exact in (True, False):
            for record, name, print_ in self.sheet.base:
                if (record, name) not in found or found[record, name] is None:
                    found[record, name] = self._take(left, record, name if exact else "", print_)
        return found

    def _take(self, left: list[Row], record: str, name: str, print_: str) -> Row | None:
        for number, row in enumerate(left):
            if row.record == record and row.print == print_ and (not name or row.row == name):
                return left.pop(number)
        return None

    def edits(self) -> list[Edit]:
        self._columns()
        places = self.places()
        prints = {(r, n): p for r, n, p in self.sheet.base or [(x.record, x.row, x.print) for x in self.current]}
        seen: Counter[Key] = Counter()
        edits: list[Edit] = []
        for line in self.sheet.rows:
            key = (line.record, line.row)
            seen[key] += bool(line.row) or not self.section.growing
            edits += [self._changed(line, places[key], prints[key])] if key in places else [self._added(line)]
        edits += [self._removed(key, places[key]) for key in places if self.section.growing and not seen[key]]
        for (record, name), count in seen.items():
            if count > 1:
                self.wrong(0, f"{record} {name} stands {count} times: leave `row` empty in a row that is new")
        return [edit for edit in edits if edit.cells or (edit.row is not None and edit.cells is None)]

    def _columns(self) -> None:
        known = [column.name for column in self.section.columns]
        for name in self.sheet.columns:
            if name and name not in ("record", "row", *known):
                near = difflib.get_close_matches(name, known)
                self.wrong(1, f"there is no column {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
        for name in known:
            if name not in self.sheet.columns:
                self.wrong(1, f"the column {name!r} is missing: hide a column, don't delete it")
        if self.problems:
            raise ImportRefusedError(self.problems)

    def _changed(self, line: SheetRow, row: Row | None, print_: str) -> Edit:
        cells = {column.name: line.cells.get(column.name, "") for column in self.section.columns}
        nothing = Edit(line.record, line.line, None, {})
        if fingerprint(line.record, cells) == print_:
            return nothing
        if row is None:
            self.wrong(
                line.line, f"{line.record} {line.row} was changed by someone else since the export: look and repeat"
            )
            return nothing
        return Edit(
            line.record, line.line, row, {name: text for name, text in cells.items() if text != row.cells[name]}
        )

    def _added(self, line: SheetRow) -> Edit:
        nothing = Edit(line.record, line.line, None, {})
        if not self.section.growing:
            tip = (
                "write a new record with `medsafe data new`"
                if line.record not in self.records
                else "keep one row for each"
            )
            self.wrong(
                line.line, f"a row for {line.record or '(nothing)'} can't be added to {self.section.name}: {tip}"
            )
        elif line.record not in self.records:
            near = (
                ", ".join(difflib.get_close_matches(line.record, self.records))
                or "an id such as those of the first column"
            )
            self.wrong(line.line, f"unknown record {line.record!r}; expected {near}")
        elif self.section.shape == "keyed" and not line.row:
            self.wrong(line.line, "a new row of this section needs its name in `row`")
        elif self.section.shape != "keyed" and line.row and not line.row.endswith("+"):
            self.wrong(
                line.line, f"there was no row {line.row} of {line.record}: leave `row` empty in a row that is new"
            )
        elif len(self.section.path) > 1 and self.nested and not line.row.endswith("+"):
            self.wrong(line.line, "a new row of this section names its parent in `row`: `2.+` for the second")
        else:
            cells = {name: text for name, text in line.cells.items() if text}
            return Edit(line.record, line.line, None, cells, line.row)
        return nothing

    @property
    def nested(self) -> bool:
        return any("." in row.row for row in self.current) and self.section.shape == "rows"

    def _removed(self, key: Key, row: Row | None) -> Edit:
        record, name = key
        if row is None:
            self.wrong(0, f"{record} {name}, which the sheet leaves out, was changed by someone else since the export")
        return Edit(record, 0, row, None)


def edits_of(section: Section, sheet: Sheet, current: Sequence[Row], root: Path) -> tuple[Edit, ...]:
    """What the sheet changes, against the data of today.

    Raises
    ------
    ImportRefusedError: with every problem, conflicts with other people's edits among them.
    """
    records = {path.stem for path in root.glob(section.files)}
    current = [row for row in current if not sheet.only or row.record in sheet.only]
    merge = _Merge(section, sheet, current, records & set(sheet.only) if sheet.only else records)
    edits = merge.edits()
    if merge.problems:
        raise ImportRefusedError(merge.problems)
    return tuple(edits)


def too_many_removed(edits: Iterable[Edit], announced: int | None) -> str:
    """Why the removals can't be taken at their word; empty when they can."""
    removed = sum(edit.what == "removed" for edit in edits)
    if removed > FEW_REMOVED and announced != removed:
        return (
            f"the sheet leaves out {removed} rows that were exported. Rows that are not shown by a filter are kept; rows "
            f"that are deleted are removed from the data. If that is meant, repeat with --removing {removed}"
        )
    return ""


# --- writing -------------------------------------------------------------------------------------------------------


def _values(edit: Edit, raw: Any, columns: Sequence[Column], problems: list[str]) -> dict[str, Any]:
    """The keys to set for one edit: what is nested comes whole, with its other parts as they were."""
    made: dict[str, Any] = {}
    for column in columns:
        if edit.cells is None or column.name not in edit.cells:
            continue
        top = column.path[0]
        try:
            if len(column.path) == 1:
                made[top] = value_of(edit.cells[column.name], column, raw.get(top))
                continue
            whole = made.get(top, raw.get(top)) or {}
            part = value_of(edit.cells[column.name], column, whole.get(column.path[1]))
            whole = {key: inner for key, inner in {**whole, column.path[1]: part}.items() if inner is not None}
            made[top] = whole or None
        except CellError as error:
            problems.append(f"line {edit.line} of the sheet, column {column.name}: {error}")
    return made


def _raw(text: str, address: Address) -> Any:
    data: Any = tomllib.loads(text)
    for part in address:
        data = data.get(part, {}) if isinstance(data, dict) else data[part]
    return data


def _new_path(section: Section, edit: Edit) -> Address:
    if section.shape == "keyed":
        return (*section.path, edit.key)
    parents = [int(number) - 1 for number in edit.key.split(".") if number.isdigit()]
    if not parents:
        return section.path
    return (
        *(part for name, number in zip(section.path, parents, strict=False) for part in (name, number)),
        section.path[-1],
    )


def _applied(text: str, edit: Edit, section: Section, problems: list[str]) -> str:
    if edit.row is None:
        values = {k: v for k, v in _values(edit, {}, section.columns, problems).items() if v is not None}
        return with_row(text, _new_path(section, edit), values, section.shape == "rows")
    if edit.cells is None:
        return without(text, edit.row.address)
    values = _values(edit, _raw(text, edit.row.address), section.columns, problems)
    if section.shape == "table" and not _raw(text, edit.row.address):
        return with_row(text, edit.row.address, {k: v for k, v in values.items() if v is not None}, False)
    return with_values(text, edit.row.address, values)


def _order(edit: Edit) -> tuple[int, tuple[int, ...]]:
    """Changes first, then removals from the last row up, then additions: no row moves before its turn."""
    numbers = tuple(-part for part in edit.row.address if isinstance(part, int)) if edit.row else (edit.line,)
    return {"changed": 0, "removed": 1, "added": 2}[edit.what], numbers


def _toml_text(text: str, edits: Iterable[Edit], section: Section, file: str, problems: list[str]) -> str:
    for edit in sorted(edits, key=_order):
        try:
            text = _applied(text, edit, section, problems)
        except TomlTextError as error:
            problems.append(f"{file}: {edit.record} {edit.row.row if edit.row else 'new row'}: {error}")
    return text


def _csv_text(text: str, edits: Iterable[Edit], section: Section) -> str:
    """The table with the edited lines written anew and all others as they were."""
    lines: list[str | None] = list(text.splitlines(keepends=True))
    names = [column.name for column in section.columns]
    for edit in sorted(edits, key=_order):
        cells = {**(edit.row.cells if edit.row else {}), **(edit.cells or {})}
        out = io.StringIO()
        csv.writer(out, lineterminator="\n").writerow([cells.get(name, "") for name in names])
        if edit.row is None:
            lines.append(out.getvalue())
        else:
            lines[int(edit.row.row)] = None if edit.cells is None else out.getvalue()
    return "".join(line for line in lines if line is not None)


def texts_of(section: Section, edits: Iterable[Edit], root: Path) -> dict[str, str]:
    """The new text of every file that the edits touch.

    Raises
    ------
    ImportRefusedError: when a cell can't be read or a file can't be edited safely, with every such problem.
    """
    by_file: dict[str, list[Edit]] = defaultdict(list)
    for edit in edits:
        by_file[edit.row.file if edit.row else _file_of(section, edit.record, root)].append(edit)
    texts, problems = {}, list[str]()
    for file, wanted in sorted(by_file.items()):
        text = (root / file).read_text(encoding="utf-8")
        made = _csv_text(text, wanted, section) if section.shape == "csv" else ""
        texts[file] = made or _toml_text(text, wanted, section, file, problems)
    if problems:
        raise ImportRefusedError(problems)
    return texts


def _file_of(section: Section, record: str, root: Path) -> str:
    return next(p.relative_to(root).as_posix() for p in root.glob(section.files) if p.stem == record)


def told(edits: Iterable[Edit]) -> Iterator[str]:
    """Each edit in one line."""
    for edit in edits:
        place = f"{edit.record} {edit.row.row if edit.row else edit.key or '(new)'}"
        cells = "; ".join(
            f"{name}: {(edit.row.cells[name] if edit.row else '') or '(nothing)'} -> {text or '(nothing)'}"
            for name, text in (edit.cells or {}).items()
        )
        yield f"{edit.what:8} {place}" + (f": {cells}".replace("\n", " | ") if cells else "")

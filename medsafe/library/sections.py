"""The sections of the data as flat tables: one row for each row of a record, one column for each value.

Columns follow from the schemas, so a section never lags behind the shape of the files. A cell is text: lists of words
one a line, numbers with a point, and what is nested (criteria, scopes in lists) as it would stand in the file.
"""

from __future__ import annotations

import csv
import hashlib
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from marshmallow import Schema, fields, validate

from medsafe.library import drug_schema as d
from medsafe.library import graph_schema as g
from medsafe.library.fields import Citations, ModifierSchema, OneOrMore, SeverityField, Share, Words
from medsafe.library.load import FORMULARY, INTERACTIONS
from medsafe.library.toml_text import Address, toml_value
from medsafe.model.vocabulary import SECTIONS as COVERED
from medsafe.model.vocabulary import SEVERITY_WORDS

RECORD, ROW = "record", "row"
NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?")
TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


class CellError(ValueError):
    """What is in the cell is not what the column holds; the text says what it holds."""


@dataclass(frozen=True, slots=True)
class Column:
    """One value of a row: `path` leads to it through nested tables; `choices` are the words it may hold."""

    path: tuple[str, ...]
    kind: str
    choices: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return ".".join(self.path)


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the data that makes one sheet.

    `shape`: `record` (the file's own keys), `table` (one table of the file), `rows` (a list), `keyed` (tables that
    each have a name), `csv` (a table file).
    """

    name: str
    files: str
    path: tuple[str, ...]
    shape: str
    columns: tuple[Column, ...]

    @property
    def growing(self) -> bool:
        """Whether rows may be added and removed in a sheet."""
        return self.shape in ("rows", "keyed", "csv")


@dataclass(frozen=True, slots=True)
class Row:
    """One row with its place: the record (the stem of its file), its number or name there, and its cells as text."""

    record: str
    row: str
    file: str
    address: Address
    cells: Mapping[str, str]

    @property
    def print(self) -> str:
        return fingerprint(self.record, self.cells)


def fingerprint(record: str, cells: Mapping[str, str]) -> str:
    """A short name for what a row says, wherever it stands."""
    text = "\x1f".join([record, *(f"{name}={cells[name]}" for name in sorted(cells) if cells[name])])
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def number_text(value: float) -> str:
    """A number as a person writes it.

    >>> [number_text(n) for n in (30, 0.5, 2.0)]
    ['30', '0.5', '2']
    """
    return str(int(value)) if float(value).is_integer() else repr(float(value))


def _words_of(field: fields.Field[Any]) -> tuple[str, ...]:
    if isinstance(field, OneOrMore):
        return tuple(sorted(field.choices or ()))
    if isinstance(field, SeverityField):
        return SEVERITY_WORDS
    one_of = [v for v in field.validators if isinstance(v, validate.OneOf)]
    return tuple(str(c) for c in one_of[0].choices) if one_of else ()


def _kind(field: fields.Field[Any]) -> str:
    kinds: tuple[tuple[type, str], ...] = (
        (OneOrMore, "words"),
        (Citations, "words"),
        (Share, "share"),
        (fields.Float, "number"),
        (fields.Integer, "number"),
        (fields.Boolean, "flag"),
        (fields.Raw, "date"),
        (fields.Dict, "nested"),
    )
    if isinstance(field, Words):
        return "numbers" if isinstance(field.inner, fields.Float) else "words"
    if isinstance(field, fields.List):
        return "nested"
    return next((kind for type_, kind in kinds if isinstance(field, type_)), "text")


def columns_of(schema: Schema, leave: frozenset[str] = frozenset(), base: tuple[str, ...] = ()) -> Iterator[Column]:
    """The columns of a schema; a nested table gives one column for each of its keys."""
    for name, field in schema.fields.items():
        key = field.data_key or name
        if key in leave:
            continue
        if isinstance(field, fields.Nested):
            yield from columns_of(field.schema, frozenset(), (*base, key))
        else:
            yield Column((*base, key), _kind(field), _words_of(field))


def _section(name: str, files: str, path: str, shape: str, schema: type[Schema], leave: str = "") -> Section:
    parts = tuple(path.split("/")) if path else ()
    return Section(name, files, parts, shape, tuple(columns_of(schema(), frozenset(leave.split()))))


def _of_words(name: str, files: str, path: str, shape: str, keys: Iterable[str], kind: str = "text") -> Section:
    return Section(name, files, tuple(path.split("/")), shape, tuple(Column((key,), kind) for key in keys))


DRUG_FILES = f"{FORMULARY}/drugs/*.toml"
CLASS_FILES = f"{FORMULARY}/classes/*.toml"
SYMPTOM_FILES = f"{FORMULARY}/symptoms/*.toml"
EFFECT_FILES = f"{INTERACTIONS}/effects/*.toml"
OWN_SHEETS = (
    "codes record coverage sources kinetics substrate_of inhibits induces effects renal hepatic dose_limits "
    "route_rules cautions monitoring opioid strengths"
)


def _drug_sections() -> Iterator[Section]:
    yield _section("drugs", DRUG_FILES, "", "record", d.DrugSchema, OWN_SHEETS)
    yield _of_words("codes", DRUG_FILES, "codes", "table", ("rxnorm", "atc", "snomed", "ndc"), "words")
    yield _of_words("coverage", DRUG_FILES, "coverage", "table", COVERED)
    yield _section("renal", DRUG_FILES, "renal", "table", d.RenalSchema, "bands dialysis")
    tables = (("record", d.RecordSchema), ("kinetics", d.KineticsSchema), ("opioid", d.OpioidSchema))
    yield from (_section(name, DRUG_FILES, name, "table", schema) for name, schema in tables)
    rows: tuple[tuple[str, type[Schema]], ...] = (
        ("substrate_of", d.SubstrateSchema),
        ("inhibits", d.ModulatorSchema),
        ("induces", d.ModulatorSchema),
        ("effects", d.EffectWeightSchema),
        ("renal/bands", d.BandSchema),
        ("dose_limits", d.DoseLimitSchema),
        ("route_rules", d.RouteRuleSchema),
        ("cautions", d.CautionSchema),
        ("monitoring", d.MonitoringSchema),
        ("strengths", d.StrengthSchema),
    )
    yield from (_section(path.replace("/", "."), DRUG_FILES, path, "rows", schema) for path, schema in rows)
    keyed = (("sources", d.SourceSchema), ("renal/dialysis", d.DialysisSchema), ("hepatic", d.BandSchema))
    yield from (_section(path.replace("/", "."), DRUG_FILES, path, "keyed", schema) for path, schema in keyed)


def _shared_sections() -> Iterator[Section]:
    yield _section("classes", CLASS_FILES, "", "record", d.DrugClassSchema, "effects cautions allergy lifetime_limits")
    yield _section("classes.effects", CLASS_FILES, "effects", "rows", d.EffectWeightSchema)
    yield _section("classes.cautions", CLASS_FILES, "cautions", "rows", d.CautionSchema)
    yield _section("classes.lifetime_limits", CLASS_FILES, "lifetime_limits", "rows", d.LifetimeLimitSchema)
    yield _section("classes.allergy", CLASS_FILES, "allergy", "table", d.AllergySchema, "cross_reacts")
    yield _section("symptoms", SYMPTOM_FILES, "", "record", g.SymptomSchema, "options")
    yield _section("symptoms.options", SYMPTOM_FILES, "options", "rows", g.OptionSchema, "orders")
    yield _section("symptoms.orders", SYMPTOM_FILES, "options/orders", "rows", g.OrderTemplateSchema)
    yield _section("conditions", f"{FORMULARY}/conditions.toml", "", "keyed", g.ConditionSchema)
    yield _section("shared_sources", f"{FORMULARY}/sources.toml", "", "keyed", d.SourceSchema)
    yield _section("pathways", f"{INTERACTIONS}/pathways.toml", "", "keyed", g.PathwaySchema)
    yield _section("opioid_safety", f"{INTERACTIONS}/opioid_safety.toml", "", "keyed", g.OpioidRuleSchema)
    yield _section("advice", f"{INTERACTIONS}/advice.toml", "", "keyed", g.AdviceSchema)
    yield _section("steps", f"{INTERACTIONS}/steps.toml", "", "keyed", g.StepSchema)
    yield _section("stopping", f"{INTERACTIONS}/stopping/*.toml", "", "record", g.StoppingRuleSchema, "modifiers")
    yield _section("burdens", EFFECT_FILES, "", "record", g.EffectSchema, "thresholds modifiers advice")
    yield _section("burdens.advice", EFFECT_FILES, "advice", "rows", g.ContributorAdviceSchema)
    yield _section("burdens.thresholds", EFFECT_FILES, "thresholds", "rows", g.ThresholdSchema)
    yield _section("burdens.modifiers", EFFECT_FILES, "modifiers", "rows", ModifierSchema)


def _interaction_sections() -> Iterator[Section]:
    for name in ("pairs", "patterns"):
        files = f"{INTERACTIONS}/{name}/*.toml"
        yield _section(name, files, "", "record", g.InteractionSchema, "needs modifiers record")
        yield _section(f"{name}.needs", files, "needs", "rows", g.PairEndSchema)
        yield _section(f"{name}.modifiers", files, "modifiers", "rows", ModifierSchema)
        yield _section(f"{name}.record", files, "record", "table", d.RecordSchema)


TABLES = ("products", "opioid_conversion", "organ_exposure", "name_aliases", "name_hazards")


@cache
def sections() -> Mapping[str, Section]:
    """Every section that can be edited as a sheet, by name; the CSV tables take their columns from their file."""
    found = [*_drug_sections(), *_shared_sections(), *_interaction_sections()]
    found += [Section(name, f"{FORMULARY}/{name}.csv", (), "csv", ()) for name in TABLES]
    return {section.name: section for section in found}


# --- cells ---------------------------------------------------------------------------------------------------------


def cell_of(value: Any, kind: str) -> str:
    """A value of a file as the text of its cell; nothing and empty lists are an empty cell."""
    if value is None or value == [] or value == {} or value == "":
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return number_text(value)
    if kind == "words" and isinstance(value, list) and all(isinstance(word, str) for word in value):
        return "\n".join(word.strip() for word in value)
    if kind == "numbers" and isinstance(value, list) and all(isinstance(n, int | float) for n in value):
        return ", ".join(number_text(n) for n in value)
    if isinstance(value, date):
        return value.isoformat()
    return value.strip() if isinstance(value, str) else toml_value(value)


def tidy(value: Any, kind: str) -> str:
    """What a spreadsheet gives back for a cell, in the form that `cell_of` writes."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return number_text(value)
    if isinstance(value, datetime | date):
        return (value.date() if isinstance(value, datetime) else value).isoformat()
    lines = [line.strip() for line in str(value).replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    text = "\n".join(line for line in lines if line)
    if kind in ("number", "share") and NUMBER.fullmatch(text):
        return number_text(float(text))
    return text.upper() if kind == "flag" else text


def _number(text: str) -> int | float:
    if not NUMBER.fullmatch(text):
        raise CellError(f"{text!r} is not a number; expected one with a decimal point, such as 0.5")
    value = float(text)
    return int(value) if value.is_integer() else value


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise CellError(f"{text!r} is not a date; expected one such as 2026-11-23") from None


def _nested(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError as error:
        raise CellError(
            f"can't be read ({error}); expected what would stand in the file, such as {{ a = 1 }}"
        ) from None


def _flag(text: str) -> bool:
    if text.casefold() not in TRUTH:
        raise CellError(f"{text!r} is neither true nor false; expected TRUE, FALSE or an empty cell")
    return TRUTH[text.casefold()]


def value_of(text: str, column: Column, before: Any) -> Any:
    """The value for the file; None for an empty cell. A word that stood without a list stays so.

    Raises
    ------
    CellError: when the cell holds something else than its column.
    """
    if not text:
        return None
    if column.kind == "words":
        words = text.split("\n")
        return words[0] if isinstance(before, str) and len(words) == 1 else words
    if column.kind == "share":
        return _number(text) if NUMBER.fullmatch(text) else text
    return _READ[column.kind](text) if column.kind in _READ else text


def _numbers(text: str) -> list[int | float]:
    return [_number(part) for part in re.split(r"[,;\s]+", text) if part]


_READ: Mapping[str, Callable[[str], Any]] = {
    "number": _number,
    "numbers": _numbers,
    "flag": _flag,
    "date": _date,
    "nested": _nested,
}


# --- rows ----------------------------------------------------------------------------------------------------------


def _at(data: Any, path: Iterable[str]) -> Any:
    for key in path:
        data = data.get(key) if isinstance(data, dict) else None
    return data


def _found(data: Any, path: tuple[str, ...], shape: str) -> Iterator[tuple[Address, Any]]:
    """The tables of a section within one file, each with its address."""
    if not path:
        if shape == "keyed":
            yield from (((key,), inner) for key, inner in data.items() if isinstance(inner, dict))
        else:
            yield (), data
        return
    head, rest = path[0], path[1:]
    inner = data.get(head) if isinstance(data, dict) else None
    if isinstance(inner, list):
        for number, item in enumerate(inner):
            yield from (((head, number, *tail), row) for tail, row in _found(item, rest, shape))
    elif isinstance(inner, dict) or (shape == "table" and not rest):
        yield from (((head, *tail), row) for tail, row in _found(inner or {}, rest, shape))


def row_name(address: Address, shape: str) -> str:
    """What tells a row from the others of its record: its number counted from 1 (`3`, `2.1`), or its name."""
    if shape == "keyed":
        return str(address[-1])
    return ".".join(str(part + 1) for part in address if isinstance(part, int))


def read_toml(path: Path) -> dict[str, Any]:
    """One TOML file as plain data."""
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _toml_rows(section: Section, path: Path, file: str, read: Callable[[Path], dict[str, Any]]) -> Iterator[Row]:
    for address, raw in _found(read(path), section.path, section.shape):
        cells = {column.name: cell_of(_at(raw, column.path), column.kind) for column in section.columns}
        yield Row(path.stem, row_name(address, section.shape), file, address, cells)


def _csv_rows(path: Path, file: str) -> Iterator[Row]:
    with path.open(encoding="utf-8", newline="") as lines:
        for number, line in enumerate(csv.DictReader(lines), 1):
            cells = {key: tidy(value, "text") for key, value in line.items() if isinstance(key, str)}
            yield Row(path.stem, str(number), file, (number,), cells)


def with_columns(section: Section, root: Path) -> Section:
    """The section with the columns of its CSV file; others have theirs already."""
    if section.shape != "csv":
        return section
    with (root / section.files).open(encoding="utf-8", newline="") as lines:
        names = next(csv.reader(lines))
    return Section(section.name, section.files, (), "csv", tuple(Column((name,), "text") for name in names))


def rows_of(section: Section, root: Path, read: Callable[[Path], dict[str, Any]] = read_toml) -> tuple[Row, ...]:
    """All rows of a section in the data below `root`, by file and place; `read` may remember what it has read."""
    found: list[Row] = []
    for path in sorted(root.glob(section.files)):
        file = path.relative_to(root).as_posix()
        found += _csv_rows(path, file) if section.shape == "csv" else _toml_rows(section, path, file, read)
    return tuple(found)


def section_digest(rows: Iterable[Row]) -> str:
    """One short name for all that a section says."""
    text = "\n".join(f"{row.record} {row.row} {row.print}" for row in rows)
    return hashlib.sha256(text.encode()).hexdigest()[:16]

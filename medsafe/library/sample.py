"""Clinical values drawn at random, each with its place and the sources it claims, for somebody to read again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from medsafe.library.sections import Row, Section, read_toml, rows_of, sections, with_columns
from medsafe.library.toml_text import line_of

# Names and notes are not values that a source supports.
NO_VALUES = frozenset({"sources", "source", "note", "name", "synonyms", "evidence", "id", "table", "opioid", "label"})
CITING = ("sources", "source")


@dataclass(frozen=True, slots=True)
class CitedSource:
    """A source as the record cites it; `status` is `undeclared` when nothing declares it."""

    citation: str
    title: str
    status: str
    url: str


@dataclass(frozen=True, slots=True)
class Value:
    """One clinical value with its file, line and path, and what it rests on."""

    file: str
    line: int
    path: str
    value: str
    record: str
    row: dict[str, str]
    sources: tuple[CitedSource, ...]


def _candidates(root: Path, read: Any, only: frozenset[str]) -> Iterator[tuple[Section, Row, str]]:
    for name, section in sections().items():
        section = with_columns(section, root)
        names = [column.name for column in section.columns]
        if (only and name not in only) or not any(key in names for key in CITING):
            continue
        for row in rows_of(section, root, read):
            yield from ((section, row, key) for key in names if row.cells[key] and key not in NO_VALUES)


def _source(citation: str, own: dict[str, Any], shared: dict[str, Any]) -> CitedSource:
    found = own.get(citation.split("#")[0]) or shared.get(citation.split("#")[0]) or {}
    status = "unsourced" if citation == "unsourced" else found.get("status", "undeclared")
    return CitedSource(citation, found.get("title", ""), status, found.get("url", ""))


def _path(section: Section, row: Row, key: str) -> str:
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in row.address).lstrip(".")
    return f"{place}.{key}".lstrip(".") if section.shape != "csv" else key


def _line(root: Path, section: Section, row: Row, key: str) -> int:
    if section.shape == "csv":
        return int(row.row) + 1
    text = (root / row.file).read_text(encoding="utf-8")
    return line_of(text, row.address, key.split(".")[0]) or 1


def _value(root: Path, section: Section, row: Row, key: str, read: Any) -> Value:
    shared = read(root / "formulary" / "sources.toml")
    own = read(root / row.file).get("sources", {}) if section.shape != "csv" else {}
    cited = next((row.cells[name] for name in CITING if row.cells.get(name)), "")
    sources = tuple(_source(text, own if isinstance(own, dict) else {}, shared) for text in cited.split("\n") if text)
    rest = {name: text for name, text in row.cells.items() if text and name not in CITING}
    line = _line(root, section, row, key)
    return Value(row.file, line, _path(section, row, key), row.cells[key], row.record, rest, sources)


def sample(root: Path, count: int, seed: int, only: Iterable[str] = ()) -> tuple[Value, ...]:
    """`count` values drawn at random; the same seed over the same data draws the same ones."""
    read = cache(read_toml)
    every = list(_candidates(root, read, frozenset(only)))
    drawn = Random(seed).sample(every, min(count, len(every)))
    return tuple(_value(root, section, row, key, read) for section, row, key in drawn)

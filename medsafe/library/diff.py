"""What an edit changes in the data: two versions side by side, record by record and field by field."""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, is_dataclass
from datetime import date
from pathlib import Path
from typing import Any

from medsafe.library.load import FORMULARY, INTERACTIONS
from medsafe.model.knowledge import Knowledge
from medsafe.model.statements import Citation, Severity

# Each part of the Knowledge and the file in which one of its records is written.
SECTIONS: Mapping[str, str] = {
    "drugs": f"{FORMULARY}/drugs/{{}}.toml",
    "classes": f"{FORMULARY}/classes/{{}}.toml",
    "symptoms": f"{FORMULARY}/symptoms/{{}}.toml",
    "conditions": f"{FORMULARY}/conditions.toml",
    "sources": f"{FORMULARY}/sources.toml",
    "interactions": f"{INTERACTIONS}/{{}}.toml",
    "effects": f"{INTERACTIONS}/effects/{{}}.toml",
    "pathways": f"{INTERACTIONS}/pathways.toml",
    "opioid_rules": f"{INTERACTIONS}/opioid_safety.toml",
    "steps": f"{INTERACTIONS}/steps.toml",
    "advice": f"{INTERACTIONS}/advice.toml",
    "stopping": f"{INTERACTIONS}/stopping/{{}}.toml",
    "policy": f"{INTERACTIONS}/policy.toml",
}
# What tells one row of a list from another, so that an inserted row does not make every later one look changed.
ROW_KEYS = (
    ("id",),
    ("pathway", "induces"),
    ("pathway",),
    ("effect",),
    ("kind", "hazard"),
    ("kind",),
    ("what",),
    ("route", "form"),
    ("from",),
    ("ids",),
)
EMPTY: tuple[Any, ...] = (None, "", [], {}, False)


class RevisionError(Exception):
    """The data at a revision can't be had; the text says why."""


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One value of a record before and after; None where it was not or is no more."""

    path: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class RecordChange:
    """One record that was added, removed or changed."""

    section: str
    id: str
    file: str
    what: str
    fields: tuple[FieldChange, ...] = ()


@dataclass(frozen=True, slots=True)
class TableChange:
    """Rows of a CSV table that came and went."""

    file: str
    added: tuple[str, ...]
    removed: tuple[str, ...]


def unpack(archive: tarfile.TarFile, folder: Path) -> None:
    """Write the plain files of an archive of data below a folder.

    `tarfile` has a filter for this only from Python 3.11.4 on, and Debian 12 has 3.11.2.

    Raises
    ------
    tarfile.TarError: when a member is no plain file or folder, or would lie elsewhere.
    """
    for member in archive:
        target = (folder / member.name).resolve()
        if not target.is_relative_to(folder.resolve()) or not (member.isfile() or member.isdir()):
            raise tarfile.TarError(f"{member.name!r} is no file of the data")
        content = archive.extractfile(member)
        (target.parent if content else target).mkdir(parents=True, exist_ok=True)
        if content:
            target.write_bytes(content.read())


@contextmanager
def data_at(root: Path, revision: str) -> Iterator[Path]:
    """The data folders below `root` as they were at a git revision, in a folder that goes away afterwards.

    Raises
    ------
    RevisionError: when git does not know the revision, or the data were not there.
    """
    if revision.startswith("-"):
        raise RevisionError(f"{revision!r} is not a git revision")
    command = ["git", "-C", str(root), "archive", "--format=tar", revision, FORMULARY, INTERACTIONS]
    try:
        made = subprocess.run(command, capture_output=True, check=False)
    except OSError as error:
        raise RevisionError(f"git can't be run: {error.strerror}") from None
    if made.returncode:
        raise RevisionError(f"no data at {revision!r}: {made.stderr.decode(errors='replace').strip()}")
    with tempfile.TemporaryDirectory(prefix="medsafe-diff-") as folder:
        with tarfile.open(fileobj=io.BytesIO(made.stdout)) as archive:
            unpack(archive, Path(folder))
        yield Path(folder)


def plain(value: Any) -> Any:
    """Any record as plain data, in words that stand in the files."""
    if isinstance(value, Severity):
        return value.label
    if isinstance(value, Citation):
        return f"{value.source}#{value.locator}" if value.locator else value.source
    if is_dataclass(value) and not isinstance(value, type):
        return {key.rstrip("_"): plain(getattr(value, key)) for key in value.__dataclass_fields__}
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, frozenset | set):
        return sorted(plain(inner) for inner in value)
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return value.isoformat() if isinstance(value, date) else value


def _label(row: Mapping[str, Any]) -> str:
    for keys in ROW_KEYS:
        if all(key in row for key in keys):
            return "/".join(json.dumps(row[key]) if isinstance(row[key], list) else str(row[key]) for key in keys)
    return ""


def compact(value: Any) -> Any:
    """Plain data without what is empty: what its author wrote."""
    if isinstance(value, dict):
        shown = {key: compact(inner) for key, inner in value.items()}
        return {key: inner for key, inner in shown.items() if not _empty(inner)}
    return [compact(inner) for inner in value] if isinstance(value, list) else value


def _empty(value: Any) -> bool:
    return any(value is e or (type(value) is type(e) and value == e) for e in EMPTY)


def _tables(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(row, dict) for row in value)


def _paired(old: list[Any], new: list[Any]) -> Iterator[tuple[str, Any, Any]]:
    """Rows that differ, side by side: rows that stayed the same are set aside first, the others meet by label."""
    left = [row for row in old if row not in new]
    came = [row for row in new if row not in old]
    for row in left:
        label = _label(row)
        twin = next((other for other in came if _label(other) == label), None)
        if twin is not None:
            came.remove(twin)
        yield label, row, twin
    yield from ((_label(row), None, row) for row in came)


def _changes(path: str, old: Any, new: Any) -> Iterator[FieldChange]:
    if old == new or (_empty(old) and _empty(new)):
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for key in dict.fromkeys((*old, *new)):
            yield from _changes(f"{path}.{key}" if path else key, old.get(key), new.get(key))
    elif _tables(old) and _tables(new):
        for label, before, after in _paired(old, new):
            yield from _changes(f"{path}[{label}]", before, after)
    else:
        yield FieldChange(path, compact(old), compact(new))


def _file(section: str, key: str) -> str:
    if section == "interactions":
        key = f"{'pairs' if '__' in key else 'patterns'}/{key}"
    return SECTIONS[section].format(key)


def _section_changes(section: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[RecordChange]:
    for key in sorted(before.keys() | after.keys()):
        old, new = before.get(key), after.get(key)
        if old == new:
            continue
        what = "added" if old is None else "removed" if new is None else "changed"
        fields = tuple(_changes("", plain(old), plain(new))) if what == "changed" else ()
        yield RecordChange(section, key, _file(section, key), what, fields)


def record_changes(before: Knowledge, after: Knowledge) -> tuple[RecordChange, ...]:
    """Every record that differs between two versions, in the order of the sections."""
    return tuple(
        change
        for section in SECTIONS
        for change in _section_changes(section, getattr(before, section), getattr(after, section))
    )


def _csv_lines(root: Path) -> dict[str, list[str]]:
    found = {}
    for path in sorted((root / FORMULARY).glob("*.csv")):
        found[path.relative_to(root).as_posix()] = path.read_text(encoding="utf-8", errors="replace").splitlines()
    return found


def table_changes(before: Path, after: Path) -> tuple[TableChange, ...]:
    """Rows of the CSV tables (names, products, conversion) that differ between two data folders."""
    old, new = _csv_lines(before), _csv_lines(after)
    changes = []
    for file in sorted(old.keys() | new.keys()):
        was, is_ = old.get(file, []), new.get(file, [])
        known_before, known_after = set(was), set(is_)
        added = tuple(line for line in is_ if line not in known_before)
        removed = tuple(line for line in was if line not in known_after)
        if added or removed:
            changes.append(TableChange(file, added, removed))
    return tuple(changes)


def as_plain(changes: tuple[RecordChange, ...] | tuple[TableChange, ...]) -> list[dict[str, Any]]:
    """Changes as JSON data."""
    return [asdict(change) for change in changes]

"""What a release changes, in the words of those who use it, computed from the two versions of the data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from medsafe.context.engine import Engine
from medsafe.impact import CaseShift, Progress, Shift, case_shifts, pair_shifts, pairs_touched, silent
from medsafe.library.diff import RecordChange, TableChange, record_changes, table_changes

SHOWN = 25
RANK = ("none", "low", "moderate", "high", "critical")
WORDS = {
    "interactions": "interaction records",
    "effects": "burdens",
    "opioid_rules": "opioid rules",
    "steps": "worked-out steps",
    "advice": "advice by kind of rule",
    "stopping": "rules of stopping",
}


def first_notes(engine: Engine) -> tuple[str, ...]:
    """Notes of a release that has nothing to compare with: what it holds."""
    k = engine.knowledge
    counts = {
        "drugs": len(k.drugs),
        "classes": len(k.classes),
        "interaction records": len(k.interactions),
        "burdens": len(k.effects),
        "symptoms": len(k.symptoms),
        "conditions": len(k.conditions),
    }
    return ("First release: " + ", ".join(f"{count} {word}" for word, count in counts.items()) + ".",)


def notes_by_file(old: Path, new: Path, names: Iterable[str], problems: int) -> tuple[str, ...]:
    """Notes where the release before has a form that this program can't read any more: which files came, went, differ.

    Parameters
    ----------
    names: the files that differ. problems: how many errors the old data have for this program.
    """
    states: dict[tuple[str, str], list[str]] = {}
    for name in sorted(names):
        state = "new" if not (old / name).exists() else "gone" if not (new / name).exists() else "changed"
        folder, _, file = name.rpartition("/")
        states.setdefault((folder, state), []).append(Path(file).stem)
    lines = (
        f"{folder}: {len(ids)} {state}: {', '.join(_some(ids, 'files'))}" for (folder, state), ids in states.items()
    )
    why = f"The release before has a form that this program does not read ({problems} errors): compared file by file."
    return (why, *lines)


def _some(lines: Sequence[str], what: str) -> Iterator[str]:
    yield from lines[:SHOWN]
    if len(lines) > SHOWN:
        yield f"... and {len(lines) - SHOWN} more {what}."


def _records(changes: Iterable[RecordChange]) -> Iterator[str]:
    rows = list(changes)
    for what in ("added", "removed"):
        for section in dict.fromkeys(row.section for row in rows):
            ids = [row.id for row in rows if row.section == section and row.what == what]
            if ids:
                yield f"{what.capitalize()} {len(ids)} {WORDS.get(section, section)}: {', '.join(_some(ids, 'records'))}."
    changed = Counter(WORDS.get(row.section, row.section) for row in rows if row.what == "changed")
    if changed:
        yield "Changed: " + ", ".join(f"{count} {word}" for word, count in changed.items()) + "."


def _short(value: Any) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{value:g}"
    text = "nothing" if value is None else value if isinstance(value, str) else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _values(changes: Iterable[RecordChange]) -> list[str]:
    """Changed numbers and words; new wording of advice is no change of what is found, so it is not listed."""
    prose = ("sources", "advice", "text", "summary", "rationale", "management", "record.", "synonyms", "brands")
    return [
        f"{row.id}: {f.path} {_short(f.before)} -> {_short(f.after)}"
        for row in changes
        for f in row.fields
        if not any(word in f.path for word in prose)
    ]


def _tables(tables: Iterable[TableChange]) -> Iterator[str]:
    for table in tables:
        yield f"{table.file}: {len(table.added)} rows added, {len(table.removed)} removed."


def _weight(shift: Shift) -> int:
    return max(RANK.index(shift.before), RANK.index(shift.after))


def _pairs(shifts: Sequence[Shift]) -> Iterator[str]:
    counts = Counter(shift.what for shift in shifts)
    if shifts:
        told = ", ".join(f"{counts[what]} {what}" for what in ("new", "lost", "changed") if counts[what])
        yield f"Findings between two drugs: {told}; the most serious:"
        worst = sorted(shifts, key=lambda s: (-_weight(s), s.drugs))
        yield from _some(
            [f"{s.what} {' + '.join(s.drugs)}: {s.hazard} {s.before} -> {s.after}" for s in worst], "pairs"
        )


def _cases(shifts: Sequence[CaseShift]) -> Iterator[str]:
    for row in shifts:
        parts = [f"{' + '.join(s.drugs)} {s.hazard} {s.before} -> {s.after}" for s in row.shifts]
        parts += [f"newly missed: {text}" for text in row.newly_missed]
        yield f"Case {row.case}: {'; '.join(parts) or 'another status'}"


def notes_between(
    old: Path, new: Path, before: Engine, after: Engine, cases: Path, progress: Progress = silent
) -> tuple[str, ...]:
    """Records, values, pairs and cases that differ between two data folders and their engines, one line each."""
    records = record_changes(before.knowledge, after.knowledge)
    pairs = pair_shifts(pairs_touched(records, before, after), before, after, progress)
    lines = [*_records(records), *_tables(table_changes(old, new)), *_some(_values(records), "values"), *_pairs(pairs)]
    lines += _some(list(_cases(case_shifts(cases, before, after))), "cases")
    return tuple(lines) or ("No change of what is found.",)

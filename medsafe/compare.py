"""Our severities beside a reference list of pairs, so that agreement, misses and extras can be seen with any list."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from medsafe.context.engine import Engine
from medsafe.interactions import graph_findings

ORDER = ("none", "low", "moderate", "high", "critical")
NOT_HELD = "not held"
COLUMNS = ("drug_a", "drug_b", "severity")
# Words that other lists use, as ours.
WORDS = {
    "minor": "low",
    "mild": "low",
    "information": "low",
    "significant": "moderate",
    "medium": "moderate",
    "major": "high",
    "serious": "high",
    "severe": "high",
    "contraindicated": "critical",
    "": "",
}
VERDICTS = ("same", "higher", "lower", "missed", "unranked", NOT_HELD)


class ReferenceListError(Exception):
    """The list can't be read; the text says why."""


@dataclass(frozen=True, slots=True)
class Row:
    """One pair of the reference with what we say of it; `ids` are the drugs that were recognised."""

    drug_a: str
    drug_b: str
    reference: str
    ours: str
    hazards: str
    ids: tuple[str, ...] = ()

    @property
    def verdict(self) -> str:
        """Ours against the reference: `missed` when we say nothing, `unranked` when the reference gives no severity."""
        rank = WORDS.get(self.reference.strip().casefold(), self.reference.strip().casefold())
        if self.ours == NOT_HELD:
            return NOT_HELD
        if self.ours == "none" and rank != "none":
            return "missed"
        if rank not in ORDER:
            return "unranked"
        step = ORDER.index(self.ours) - ORDER.index(rank)
        return "same" if step == 0 else "higher" if step > 0 else "lower"


def silent(done: int, total: int) -> None:
    """No progress shown."""


def compare_pairs(path: Path, engine: Engine, progress: Callable[[int, int], None] = silent) -> list[Row]:
    """Judge every pair of a CSV with the columns drug_a, drug_b, severity; pairs of drugs not held are `not held`.

    Raises
    ------
    ReferenceListError: when the file is no such list.
    """
    try:
        lines = list(csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines()))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ReferenceListError(f"{path.name} can't be read ({error})") from None
    missing = [name for name in COLUMNS[:2] if not lines or name not in lines[0]]
    if missing:
        raise ReferenceListError(f"{path.name} has no column {', '.join(missing)}; expected {', '.join(COLUMNS)}")
    rows = []
    for number, line in enumerate(lines, 1):
        rows.append(_row(line["drug_a"] or "", line["drug_b"] or "", line.get("severity") or "", engine))
        progress(number, len(lines))
    return rows


def _row(a: str, b: str, reference: str, engine: Engine) -> Row:
    findings, _, drugs = graph_findings([a, b], engine)
    if len(drugs) < 2:
        return Row(a, b, reference, NOT_HELD, "", drugs)
    both = [f for f in findings if set(drugs[:2]) <= set(f.drugs)]
    worst = max((f.severity for f in both), default=None)
    hazards = ", ".join(sorted({f.hazard for f in both}))
    return Row(a, b, reference, worst.label if worst else "none", hazards, tuple(sorted(drugs[:2])))


def extras(
    rows: Sequence[Row], engine: Engine, least: str = "high", progress: Callable[[int, int], None] = silent
) -> list[Row]:
    """Pairs of drugs of the list that the list leaves out and of which we say `least` or worse."""
    listed = {row.ids for row in rows}
    ids = sorted({drug for row in rows for drug in row.ids})
    pairs = [pair for pair in combinations(ids, 2) if pair not in listed]
    found = []
    for number, (a, b) in enumerate(pairs, 1):
        row = _row(engine.index.drugs[a].drug.name, engine.index.drugs[b].drug.name, "none", engine)
        if row.ours in ORDER and ORDER.index(row.ours) >= ORDER.index(least):
            found.append(row)
        progress(number, len(pairs))
    return found


def _share(part: int, total: int) -> str:
    return f"{part} ({part / total:.1%})"


def _of_severity(reference: str, rows: Sequence[Row]) -> str:
    ours = Counter(row.ours for row in rows)
    verdicts = Counter(row.verdict for row in rows)
    cells = ", ".join(f"{word} {ours[word]}" for word in ORDER if ours[word])
    told = ", ".join(f"{word} {_share(verdicts[word], len(rows))}" for word in VERDICTS if verdicts[word])
    return f"reference {reference or '(none)'}: {len(rows)} pairs; ours: {cells}; {told}"


def summary(rows: Sequence[Row]) -> Iterator[str]:
    """Counts of reference severity against ours, over the pairs of which both drugs are held."""
    held = [row for row in rows if row.ours != NOT_HELD]
    yield f"{len(rows)} pairs, {len(held)} of drugs that are held"
    for reference in sorted({row.reference for row in held}):
        yield _of_severity(reference, [row for row in held if row.reference == reference])
    if held:
        found = sum(row.ours != "none" for row in held)
        serious = sum(row.ours in ORDER and ORDER.index(row.ours) >= ORDER.index("moderate") for row in held)
        yield f"found at all: {_share(found, len(held))}; moderate or above: {_share(serious, len(held))}"


def as_plain(rows: Sequence[Row], more: Sequence[Row]) -> dict[str, Any]:
    """The comparison as JSON data."""
    verdicts = Counter(row.verdict for row in rows)
    return {
        "pairs": len(rows),
        "verdicts": {word: verdicts[word] for word in VERDICTS},
        "rows": [{**asdict(row), "verdict": row.verdict} for row in rows],
        "extras": [asdict(row) for row in more],
    }

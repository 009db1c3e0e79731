"""How far the knowledge reaches: for each drug and section what is complete, what it rests on, and what is due."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from medsafe.model.drugs import Drug
from medsafe.model.knowledge import Knowledge
from medsafe.model.statements import Citation
from medsafe.model.vocabulary import SECTIONS

STATES = ("complete", "partial", "gap", "not-applicable")
MARKS = {"complete": "c", "partial": "p", "gap": "-", "not-applicable": "n"}
# What a row of values rests on: the best of the sources it cites.
OPENED, RECALLED, UNSOURCED = "opened", "recalled", "unsourced"
BASES = (OPENED, RECALLED, UNSOURCED)
NEARLY_ALL = 0.9


@dataclass(frozen=True, slots=True)
class SectionCoverage:
    """One section of one drug: its state as its author says, and on what its rows rest."""

    state: str
    rests_on: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class DrugCoverage:
    """One drug: its sections, and when it was re-read and is due."""

    id: str
    sections: Mapping[str, SectionCoverage]
    second_read_on: date | None
    review_due_on: date
    signed_off: bool
    due: bool

    @property
    def complete(self) -> bool:
        return all(s.state in ("complete", "not-applicable") for s in self.sections.values())

    @property
    def rests_on(self) -> Counter[str]:
        """Rows of the whole record by what they rest on."""
        total: Counter[str] = Counter()
        for section in self.sections.values():
            total.update(section.rests_on)
        return total

    @property
    def basis(self) -> str:
        """The record in one word: `opened` when nine rows in ten rest on a source that was opened."""
        counts = self.rests_on
        rows = counts.total()
        share = counts[OPENED] / rows if rows else 0.0
        return (
            OPENED if share >= NEARLY_ALL else "mixed" if counts[OPENED] else RECALLED if counts[RECALLED] else "none"
        )


def _rows(drug: Drug) -> dict[str, list[tuple[Citation, ...]]]:
    """The citations of each row of values, by section of the coverage."""
    renal = [*drug.renal.bands, *drug.renal.dialysis.values()] if drug.renal else []
    rows: dict[str, Sequence[Any]] = {
        "interactions": (*drug.substrate_of, *drug.modulates),
        "effects": drug.effects,
        "renal": renal,
        "hepatic": tuple(drug.hepatic.values()),
        "doses": (*drug.dose_limits, *drug.route_rules),
        "cautions": drug.cautions,
        "monitoring": drug.monitoring,
    }
    found = {section: [row.sources for row in items] for section, items in rows.items()}
    return {**found, "kinetics": [drug.kinetics_sources] if drug.kinetics_sources else []}


def _basis(citations: Iterable[Citation], drug: Drug, k: Knowledge) -> str:
    sources = [drug.sources.get(c.source) or k.sources.get(c.source) for c in citations]
    statuses = {source.status for source in sources if source is not None}
    return OPENED if OPENED in statuses else RECALLED if statuses else UNSOURCED


def coverage_of(k: Knowledge, today: date) -> tuple[DrugCoverage, ...]:
    """The coverage of every drug, by id; a review is due on its day."""
    made = []
    for drug in sorted(k.drugs.values(), key=lambda d: d.id):
        rows = _rows(drug)
        sections = {
            name: SectionCoverage(
                drug.coverage.get(name, "gap"), dict(Counter(_basis(row, drug, k) for row in rows.get(name, ())))
            )
            for name in SECTIONS
        }
        record = drug.record
        due = record.review_due_on <= today
        signed = bool(record.clinical_sign_off)
        made.append(DrugCoverage(drug.id, sections, record.second_read_on, record.review_due_on, signed, due))
    return tuple(made)


def totals(drugs: Sequence[DrugCoverage]) -> dict[str, Any]:
    """Sums over all drugs, as plain data."""
    return {
        "drugs": len(drugs),
        "complete": sum(d.complete for d in drugs),
        "second_read": sum(d.second_read_on is not None for d in drugs),
        "signed_off": sum(d.signed_off for d in drugs),
        "due": sum(d.due for d in drugs),
        "sections": {
            name: {
                **{state: sum(d.sections[name].state == state for d in drugs) for state in STATES},
                "rests_on": {basis: sum(d.sections[name].rests_on.get(basis, 0) for d in drugs) for basis in BASES},
            }
            for name in SECTIONS
        },
    }


def as_plain(drugs: Sequence[DrugCoverage]) -> dict[str, Any]:
    """Coverage as JSON data."""
    rows = [
        {
            "id": d.id,
            "complete": d.complete,
            "basis": d.basis,
            "sections": {name: {"state": s.state, "rests_on": s.rests_on} for name, s in d.sections.items()},
            "second_read_on": d.second_read_on,
            "review_due_on": d.review_due_on,
            "due": d.due,
            "signed_off": d.signed_off,
        }
        for d in drugs
    ]
    return {"totals": totals(drugs), "drugs": rows}


def _line(cells: Iterable[object]) -> str:
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def document(drugs: Sequence[DrugCoverage]) -> str:
    """The coverage as a page: states only, so that an edit of a value does not change it."""
    sums = totals(drugs)
    head = f"{sums['drugs']} drugs; {sums['complete']} complete in every section, {sums['second_read']} read a second time "
    head += f"against their sources by someone who did not write them, {sums['signed_off']} signed off by a licensed pharmacist."
    lines = [
        "# What the knowledge covers",
        "",
        "Made by `medsafe data coverage --write docs/coverage.md`; `.ci/run` fails when it is out of date.",
        "",
        head,
        "",
        _line(("section", *STATES)),
        _line(("---",) * (1 + len(STATES))),
    ]
    lines += [_line((name, *(row[state] for state in STATES))) for name, row in sums["sections"].items()]
    lines += [
        "",
        "c complete · p partial · - gap (told to the user when it is needed) · n not applicable. Sources: `opened` when nine "
        "rows in ten rest on a source that was opened, `mixed` when fewer do, `recalled` when none does.",
        "",
        _line(("drug", *SECTIONS, "sources", "second read", "review due")),
        _line(("---",) * (4 + len(SECTIONS))),
    ]
    lines += [_line(_cells(d)) for d in drugs]
    return "\n".join(lines) + "\n"


def _cells(d: DrugCoverage) -> list[str]:
    marks = [MARKS.get(d.sections[name].state, "?") for name in SECTIONS]
    return [d.id, *marks, d.basis, "yes" if d.second_read_on else "no", f"{d.review_due_on:%Y-%m}"]

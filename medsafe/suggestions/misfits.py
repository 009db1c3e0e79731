"""What is taken or ordered for a symptom although it did nothing, was not tolerated, or does not suit this patient."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from medsafe.context.context import Context
from medsafe.context.derive import Derived
from medsafe.model.criteria import Truth, judge_all
from medsafe.model.findings import Finding
from medsafe.model.medicine import Medicine
from medsafe.model.options import Symptom
from medsafe.model.statements import Citation, Severity
from medsafe.suggestions.options import Candidate, worked_out

# A medicine that is taken, and what speaks against it in this patient.
Misfit = tuple[Medicine, Finding]
# Findings of these kinds speak of one medicine in this patient, whatever else is taken.
UNSUITABLE = frozenset({"drug-disease", "drug-lab", "allergy", "pregnancy", "pharmacogenomic", "organ-dose"})


def stops(derived: Derived, symptom: Symptom, offered: Iterable[Candidate]) -> Iterator[Candidate]:
    """What is taken for this symptom although it did nothing, or was not tolerated."""
    options = {c.drug.id: c for c in offered if c.drug is not None and c.option.action == "start"}
    for drug_id, outcome, _ in derived.tried:
        taken = [m for m in derived.context.active if m.id == drug_id and not m.new]
        if outcome not in ("no-effect", "not-tolerated") or drug_id not in options or not taken:
            continue
        step, name = f"stop-{outcome}", taken[0].drug.name
        option = worked_out(derived.context, step, {"drug": name}, f"stop-{drug_id}")
        gone = frozenset({taken[0].order})
        yield Candidate(symptom.name, option, taken[0].drug, None, gone, score=option.benefit)


def find_misfits(
    derived: Derived, symptom: Symptom, findings: tuple[Finding, ...], offered: Iterable[Candidate]
) -> list[Misfit]:
    """What is taken or ordered for this symptom although it does not suit this patient, whatever else is taken; opioids apart.

    An opioid is not stopped but rotated: its steps are worked out by themselves.
    """
    starts = [c for c in offered if c.drug is not None and c.option.action == "start"]
    against = [f for f in findings if f.severity >= Severity.HIGH and not f.dose_can_fit and not f.exceeds]
    taken = [m for m in derived.context.active if m.drug.opioid is None]
    worst = [(m, next((f for f in against if _unsuitable(m, f)), None)) for m in taken]
    unsuitable = [(m, f) for m, f in worst if f is not None]
    same = {c.drug.id for c in starts if c.drug is not None}
    asked = [(m, f) for m, f in unsuitable if m.id not in same and (m.new or symptom.kin_is_for_it)]
    kin = [(m, f) for m, f in asked if any(_akin(m, c) for c in starts)]
    if not _bar(derived.context, [m for m, _ in kin], starts):
        kin = []
    return [(m, f) for m, f in unsuitable if m.id in same or (m, f) in kin]


def _akin(medicine: Medicine, candidate: Candidate) -> bool:
    return candidate.drug is not None and bool(set(candidate.drug.classes) & set(medicine.drug.classes))


def _bar(context: Context, medicines: list[Medicine], starts: Iterable[Candidate]) -> bool:
    """Whether medicines of the kind that is offered rule an option out that could take their place."""
    without = context.without(frozenset(m.order for m in medicines))
    return bool(medicines) and any(_ruled_out(c, context) and not _ruled_out(c, without) for c in starts)


def _ruled_out(candidate: Candidate, context: Context) -> bool:
    return any(judge_all(x.when, context.facts).truth is Truth.YES for x in candidate.option.exclusions)


def _unsuitable(medicine: Medicine, finding: Finding) -> bool:
    """Whether a serious finding speaks of this medicine by itself, or forbids it as a new order."""
    if medicine.order in finding.alone or (medicine.new and finding.severity >= Severity.CRITICAL):
        return medicine.order in finding.orders
    return finding.kind in UNSUITABLE and medicine.order in finding.orders


def against_misfit(context: Context, symptom: Symptom, medicine: Medicine, finding: Finding, slowly: bool) -> Candidate:
    """What does not suit this patient is stopped, or not begun; what harms more if it ends at once is lowered."""
    option = worked_out(
        context,
        "lower-misfit" if slowly else "refuse-misfit" if medicine.new else "stop-misfit",
        {"drug": medicine.drug.name, "why": finding.summary},
        f"{'lower' if slowly else 'stop'}-{medicine.id}",
        sources=[Citation(s.id, s.locator) for s in finding.sources],
    )
    gone = frozenset() if slowly else frozenset({medicine.order})
    return Candidate(symptom.name, option, medicine.drug, None, gone, score=option.benefit)


__all__ = ["Misfit", "against_misfit", "find_misfits", "stops"]

"""What is taken that may itself cause a symptom: it is named, and lowered where it is more than fits this patient.

Which hazards a symptom may be the sign of stands with the symptom; how much of a medicine fits has been worked out before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from medsafe.context.context import Context
from medsafe.model.criteria import Truth, judge_all
from medsafe.model.findings import Finding
from medsafe.model.medicine import Medicine
from medsafe.model.options import Symptom
from medsafe.model.statements import Citation, Severity
from medsafe.suggestions.fitting import FittingOrder
from medsafe.suggestions.options import Candidate, worked_out

# How an option of the data says that it is about the medicines that are taken.
BY_MEDICINES = "medicines"


def _brings(context: Context, medicine: Medicine, hazards: frozenset[str]) -> bool:
    effects = context.index.knowledge.effects
    return any(effects[weight.effect].hazard in hazards for weight in medicine.drug.effects)


def _too_much(medicine: Medicine, findings: Iterable[Finding]) -> Finding | None:
    """What says that this order is seriously more than fits, or nothing."""
    mine = (f for f in findings if f.exceeds and f.orders == (medicine.order,) and f.severity >= Severity.HIGH)
    return next(mine, None)


def _often(order: Mapping[str, Any]) -> str:
    times, hours = order.get("times_per_day"), order.get("interval_h")
    if times:
        return " once a day" if times == 1 else f" {times:g} times a day"
    return f" every {hours:g} hours" if hours else ""


def lowered(
    context: Context, symptom: Symptom, findings: tuple[Finding, ...], fitting: Mapping[str, FittingOrder]
) -> Iterator[Candidate]:
    """Lower what is too much here and can cause the symptom; opioids apart, whose steps are worked out by themselves."""
    for medicine in context.active:
        told = (
            _too_much(medicine, findings) if _brings(context, medicine, symptom.caused_by | symptom.excess_of) else None
        )
        fits = fitting.get(medicine.order)
        if told is None or fits is None or medicine.drug.opioid is not None or medicine.new:
            continue
        order = {key: value for key, value in fits.order.items() if key != "drug"}
        words = {
            "drug": medicine.drug.name,
            "dose": f"{order['dose']:g} {order['unit']}{_often(order)}",
            "symptom": symptom.name,
            "why": told.summary,
        }
        option = worked_out(
            context,
            "lower-excess",
            words,
            f"lower-{medicine.id}",
            sources=[Citation(s.id, s.locator) for s in told.sources],
        )
        yield Candidate(symptom.name, option, medicine.drug, order, frozenset({medicine.order}), score=option.benefit)


def named(
    context: Context, symptom: Symptom, findings: tuple[Finding, ...], written: list[Candidate]
) -> list[Candidate]:
    """The options, with the medicines named whose hazards the symptom may be a sign of.

    An option of the data that asks after medicines in general names those that are taken; without one there is a review.
    """
    told = [f for f in findings if f.hazard in symptom.caused_by and f.severity >= Severity.MODERATE]
    taken = {m.id: m.drug.name for m in context.active if not m.new}
    names = ", ".join(dict.fromkeys(taken[drug] for f in told for drug in f.drugs if drug in taken))
    option = worked_out(context, "review-causes", {"drugs": names, "symptom": symptom.name})
    if not names or judge_all(option.when, context.facts).truth is Truth.NO:
        return written
    if not any(c.option.cause == BY_MEDICINES for c in written):
        return [Candidate(symptom.name, option, score=option.benefit), *written]
    return [_naming(c, names, option.label) if c.option.cause == BY_MEDICINES else c for c in written]


def _naming(candidate: Candidate, names: str, otherwise: str) -> Candidate:
    label = f"{candidate.option.label}; here {names}"
    return replace(candidate, option=replace(candidate.option, label=label if len(label) < 140 else otherwise))


__all__ = ["lowered", "named"]

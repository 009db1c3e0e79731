"""What could be done for each symptom: options from the data, and opioid steps worked out for this regimen.

An option here is only an idea; `suggest` puts every one of them through the checks before anyone sees it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from medsafe.checks.organ_doses import band_for, dialysis_band, dialysis_words, rising_band
from medsafe.context.context import Context
from medsafe.model.criteria import Truth, judge_all
from medsafe.model.drugs import Band, Drug
from medsafe.model.medicine import Medicine
from medsafe.model.options import Option, OrderTemplate, Symptom
from medsafe.model.statements import Citation
from medsafe.opioids.conversion import Target, round_down, strengths_of


@dataclass(frozen=True, slots=True)
class Candidate:
    """An option made concrete for this patient, before screening. `beside`: orders of the same drug that it is meant to join."""

    for_: str
    option: Option
    drug: Drug | None = None
    order: Mapping[str, Any] | None = None
    replaces: frozenset[str] = frozenset()
    breakthrough: Mapping[str, Any] | None = None
    extra_reasons: tuple[str, ...] = ()
    score: float = 0.0
    working: tuple[str, ...] = field(default_factory=tuple)
    instead_of: frozenset[str] = frozenset()
    rescue_follows: bool = True
    beside: frozenset[str] = frozenset()


def options_of(symptom: Symptom, symptoms: Mapping[str, Symptom]) -> Iterator[Option]:
    """The symptom's own options, then those of its broader symptoms that it does not itself speak of."""
    told: set[str] = set()
    todo = [symptom.id]
    seen: set[str] = set()
    while todo:
        key = todo.pop(0)
        if key in seen or key not in symptoms:
            continue
        seen.add(key)
        for option in symptoms[key].options:
            if option.id not in told:
                told.add(option.id)
                yield option
        todo.extend(symptoms[key].parents)


def responsiveness(symptom: Symptom, symptoms: Mapping[str, Symptom]) -> str:
    """How far opioids help; a symptom that says nothing takes the word of its parent."""
    if symptom.opioid_responsive != "no":
        return symptom.opioid_responsive
    found = [responsiveness(symptoms[p], symptoms) for p in symptom.parents if p in symptoms]
    return next((word for word in found if word != "no"), "no")


def template_for(option: Option, context: Context) -> OrderTemplate | None:
    """The first order whose circumstances hold or can't be ruled out: orders are listed from the most cautious.

    A condition that is not on the problem list, and that only a missing value could show, is taken not to be there.
    """
    for template in option.orders:
        verdict = judge_all(template.when, context.facts)
        if verdict.truth is Truth.YES or verdict.missing:
            return template
    return None


def as_order(template: OrderTemplate) -> dict[str, Any]:
    """A template as an order, keys that say nothing left out."""
    order: dict[str, Any] = {"dose": template.dose, "unit": template.unit, "route": template.route}
    if template.form:
        order["form"] = template.form
    for key in ("times_per_day", "interval_h", "max_times_per_day"):
        value = getattr(template, key)
        if value is not None:
            order[key] = value
    if template.prn:
        order["prn"] = True
    return order


def _renal_band(context: Context, medicine: Medicine) -> Band | None:
    rule = medicine.drug.renal
    if rule is None:
        return None
    dialysis = str(context.facts.values.get("dialysis", "none"))
    if dialysis != "none":
        return dialysis_band(medicine, dialysis)[0]
    value = context.organ.renal(rule.estimate)
    band = band_for(medicine, value) if value is not None else None
    if band is None or value is None:
        return None
    return rising_band(context, medicine, band, value) or band


def bands_of(context: Context, medicine: Medicine) -> list[Band]:
    """The bands that this patient's kidneys and liver put on a medicine; none on what acts where it is put."""
    if not medicine.systemic:
        return []
    found = []
    renal = _renal_band(context, medicine)
    if renal is not None:
        found.append(renal)
    grade = context.organ.hepatic_worst
    if grade is not None and grade in medicine.drug.hepatic:
        found.append(medicine.drug.hepatic[grade])
    return found


def fitted(order: Mapping[str, Any], medicine: Medicine, bands: list[Band]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """An order cut down to what the bands allow, and what was changed and why. Organ factors are applied once."""
    new, notes = dict(order), []
    for band in bands:
        if band.min_interval_h and new.get("times_per_day") and 24.0 / new["times_per_day"] < band.min_interval_h:
            new["times_per_day"] = max(24.0 / band.min_interval_h, 1 / 7)
            notes.append(f"Interval lengthened to every {band.min_interval_h:g} h for organ function.")
    times = new.get("times_per_day") or new.get("max_times_per_day") or 1.0
    daily = medicine.single_dose * times if medicine.single_dose else None
    limits = [b.max_single_dose for b in bands if b.max_single_dose] + [
        b.max_daily_dose / times for b in bands if b.max_daily_dose
    ]
    if daily is not None and medicine.single_dose and limits and min(limits) < medicine.single_dose:
        target = Target(medicine.drug, new["route"], new.get("form", ""))
        fit = round_down(min(limits), strengths_of(target))
        if fit:
            notes.append(f"Dose lowered from {new['dose']:g} to {fit:g} {new['unit']} to fit the organ function.")
            new["dose"] = fit
    return new, tuple(notes)


def dialysis_notes(context: Context, medicine: Medicine) -> tuple[str, ...]:
    """When to give the medicine around this patient's dialysis, where its record says so."""
    modality = str(context.facts.values.get("dialysis", "none"))
    band, stated = dialysis_band(medicine, modality) if modality != "none" else (None, False)
    return dialysis_words(context, modality, band) if band is not None and stated else ()


def preference_points(option: Option, context: Context) -> tuple[float, tuple[str, ...]]:
    """Points that this patient's circumstances add or take, and why."""
    points, reasons = 0.0, []
    for preference in option.preferences:
        if judge_all(preference.when, context.facts).truth is Truth.YES:
            points += preference.points
            reasons.append(preference.because)
    return points, tuple(reasons)


def candidates_from_data(symptom: Symptom, symptoms: Mapping[str, Symptom], context: Context) -> Iterator[Candidate]:
    """Every option of the data that is relevant here; not yet judged."""
    for option in options_of(symptom, symptoms):
        if judge_all(option.when, context.facts).truth is not Truth.YES:
            continue
        drug = context.index.drugs[option.drug].drug if option.drug else None
        template = template_for(option, context)
        points, reasons = preference_points(option, context)
        order = as_order(template) if template else None
        if drug is not None and order is None and option.action in ("start", "co-prescribe"):
            continue
        yield Candidate(
            symptom.name,
            option,
            drug,
            order,
            extra_reasons=reasons,
            score=option.benefit - option.burden + 0.5 * option.opioid_sparing + points,
        )


def worked_out(
    context: Context,
    step: str,
    words: Mapping[str, str],
    id_: str = "",
    benefit: float | None = None,
    sources: Iterable[Citation] = (),
) -> Option:
    """A step that is worked out from this patient's doses, in the words of the data.

    Parameters
    ----------
    step: its record. words: what is filled in. id_: what it is called here, the record's id where that is not given.
    benefit, sources: where they depend on this patient, in the place of the record's.
    """
    rule = context.index.knowledge.steps[step]
    return replace(
        rule,
        id=id_ or step,
        label=" ".join(rule.label.format(**words).split())[:139],
        rationale=rule.rationale.format(**words).strip(),
        benefit=rule.benefit if benefit is None else benefit,
        titration=rule.titration.format(**words),
        sources=tuple(sources) or rule.sources,
    )


__all__ = [
    "Candidate",
    "bands_of",
    "candidates_from_data",
    "dialysis_notes",
    "fitted",
    "options_of",
    "responsiveness",
    "worked_out",
]

"""Raising what is already taken for a symptom, before anything is added to it.

Only options that the data marks as titrated are raised: by one more starting dose a day, an infusion by a share, and never
beyond the option's maximum or what kidneys and liver allow. Opioids have steps of their own. Safety is judged by the screening.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from math import floor
from typing import Any

from medsafe.context.context import Context
from medsafe.context.engine import Engine
from medsafe.model.findings import Excluded, Finding
from medsafe.model.medicine import Medicine
from medsafe.model.options import Option, Symptom
from medsafe.opioids.conversion import Target, round_down, strengths_of
from medsafe.suggestions.opioid_steps import situation
from medsafe.suggestions.options import (
    Candidate,
    bands_of,
    options_of,
    preference_points,
    responsiveness,
    template_for,
)

SEDATION = "cns-respiratory-depression"
CONTROLLED = "Pain is controlled on what is taken: nothing is added to it."
DAY_H = 24.0


def _most(option: Option, medicine: Medicine, context: Context) -> float:
    """The largest daily dose that the option, the kidneys and the liver allow, in the record's unit."""
    limits = [option.max_daily_dose or 0.0]
    limits += [band.max_daily_dose for band in bands_of(context, medicine) if band.max_daily_dose]
    return min(limits)


def _starting_dose(option: Option, context: Context) -> float:
    """The daily starting dose of this patient's order."""
    template = template_for(option, context)
    times = (template.times_per_day or template.max_times_per_day or 1.0) if template else 0.0
    return template.dose * times if template else 0.0


def _order(medicine: Medicine, daily: float) -> dict[str, Any] | None:
    """The order at a new daily dose, rounded down to real strengths."""
    unit = medicine.drug.dose_unit
    if medicine.is_rate:
        return {"dose": round_down(daily, None), "unit": f"{unit}/24h", "route": medicine.route}
    times = medicine.times_per_day or (DAY_H / medicine.interval_h if medicine.interval_h else 1.0)
    form = "modified-release" if "modified-release" in medicine.forms else ""
    dose = round_down(daily / times, strengths_of(Target(medicine.drug, medicine.route or "", form)))
    return {"dose": dose, "unit": unit, "route": medicine.route, "times_per_day": times} if dose else None


def _raised(option: Option, medicine: Medicine, context: Context) -> dict[str, Any] | None:
    """The order after one step, or None where there is no room for one."""
    daily, apart_h = medicine.daily_dose, medicine.interval_h or 0.0
    if not daily or medicine.prn or medicine.single or medicine.new or medicine.route is None or apart_h > DAY_H:
        return None
    policy = context.policy
    added = min(daily + _starting_dose(option, context), policy.most_raise * daily)
    wanted = daily * policy.infusion_step if medicine.is_rate else added
    order = _order(medicine, floor(min(wanted, _most(option, medicine, context)) * 1000) / 1000)
    if order is None or order["dose"] * order.get("times_per_day", 1.0) < daily * policy.least_raise:
        return None
    return order


def _as_raise(option: Option, medicine: Medicine) -> Option:
    """The option as it reads for someone who takes the medicine: what only bars a second one of its kind says nothing here."""
    kept = tuple(x for x in option.exclusions if not any(c.medicine & medicine.tags for c in x.when))
    name = medicine.drug.name
    label = f"Raise {name} before anything is added" if not medicine.is_rate else f"Raise the {name} infusion"
    return replace(option, id=f"raise-{option.id}", action="increase", label=label, exclusions=kept)


def _steps(symptom: Symptom, context: Context, engine: Engine) -> Iterator[Candidate]:
    """One step up for each medicine that is taken for this symptom and can be titrated."""
    for option in options_of(symptom, engine.knowledge.symptoms):
        for medicine in context.active:
            if not option.titrates or medicine.id != option.drug or not medicine.systemic:
                continue
            order = _raised(option, medicine, context)
            if order is not None:
                points, reasons = preference_points(option, context)
                score = option.benefit - option.burden + 0.5 * option.opioid_sparing + points
                raised, gone = _as_raise(option, medicine), frozenset({medicine.order})
                yield Candidate(symptom.name, raised, medicine.drug, order, gone, extra_reasons=reasons, score=score)


def _sedates(candidate: Candidate, context: Context) -> bool:
    effects = context.index.drugs[candidate.drug.id].effects if candidate.drug else ()
    return any(e.effect == SEDATION and e.weight > 0 for e in effects)


def _poisoned(context: Context, findings: tuple[Finding, ...]) -> bool:
    """Toxicity, its signs, or drowsiness: no time to give more of a sedative."""
    rules: Any = context.policy.opioid
    s = situation(context, None, "no", findings)
    signs = set(rules["neurotoxic_signs"]) - set(rules["signs_of_nerve_pain"])
    return bool(s.toxic) or s.drowsy or bool(signs & set(context.facts.symptoms))


def raises(
    symptom: Symptom, score: float | None, context: Context, engine: Engine, findings: tuple[Finding, ...]
) -> Iterator[Candidate]:
    """Steps up; none for a symptom that is controlled or was not scored, nor of a sedative in the drowsy or poisoned."""
    wanting: Any = context.policy.opioid["pain_from"]
    if score is None or score < wanting:
        return
    poisoned = _poisoned(context, findings)
    yield from (c for c in _steps(symptom, context, engine) if not (poisoned and _sedates(c, context)))


def controlled(symptom: Symptom, score: float | None, context: Context, engine: Engine) -> bool:
    """Whether pain (or what else opioids are given for) is held by the opioid that is taken regularly."""
    wanting: Any = context.policy.opioid["pain_from"]
    held = score is not None and score < wanting and responsiveness(symptom, engine.knowledge.symptoms) != "no"
    return held and any(m.drug.opioid is not None and m.systemic and not m.prn for m in context.active)


def not_added(told: Iterable[Candidate], kept: Iterable[Candidate]) -> list[Excluded]:
    """The options that are left out because nothing more is needed, with that reason."""
    ids = {c.option.id for c in kept}
    gone = [c for c in told if c.option.id not in ids and c.drug is not None]
    return [Excluded(c.for_, c.option.action, c.drug.id, (CONTROLLED,)) for c in gone if c.drug is not None]


__all__ = ["controlled", "not_added", "raises"]

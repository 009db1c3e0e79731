"""What to do with the opioid itself: raise, lower, rotate, change route, or leave it and look for the reason.

Each step is worked out from this regimen's totals and the policy's numbers. Whether it is safe here is not decided in this
module: `suggest` screens every step like any other option.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from medsafe.checks import stopping
from medsafe.context.context import Context
from medsafe.model.findings import Finding
from medsafe.model.knowledge import Severity, Strength
from medsafe.model.medicine import Medicine
from medsafe.model.vocabulary import MASS_MG, SEDATED
from medsafe.opioids.conversion import (
    Target,
    breakthrough_of,
    daily_of,
    next_up,
    patch_interval_h,
    round_down,
    strengths_of,
)
from medsafe.suggestions.conversions import (
    Plan,
    base_of,
    habits_of,
    is_frail,
    plan_conversion,
    rescue_for,
    rules_of,
)
from medsafe.suggestions.options import Candidate, generated

TOXIC = ("opioid-toxicity", "opioid-neurotoxicity")
SWALLOWING = frozenset({"dysphagia", "bowel-obstruction", "complete-bowel-obstruction"})
SEVERE_PAIN = 7
# A symptom that is reported without a score is taken as moderate, and no dose is raised on it.
UNSCORED = 5.0
DYING = "last-days-of-life"
LONG_HALF_LIFE_H = 15
SOURCE = ("fast-fact-20#steps",)


@dataclass(frozen=True, slots=True)
class Situation:
    """The state of the opioid treatment, as far as it decides between its steps."""

    pain: float
    responsiveness: str
    toxic: tuple[str, ...]
    drowsy: bool
    frail: bool
    ome: float
    regular_ome: float
    taken_rescue_doses: float
    background: tuple[Medicine, ...]
    rescue: tuple[Medicine, ...]
    renal_trouble: tuple[str, ...]
    scored: bool = True
    dying: bool = False
    febrile: bool = False


def situation(context: Context, score: float | None, responsive: str, findings: tuple[Finding, ...]) -> Situation:
    """Read the situation from the context and from what the checks found."""
    agonists = [
        m
        for m in context.active
        if m.systemic and m.drug.opioid and m.drug.opioid.action in ("full", "partial", "mixed")
    ]
    values, symptoms = context.facts.values, context.facts.symptoms
    trouble = tuple(
        sorted(
            {
                f.drugs[0]
                for f in findings
                if f.hazard in ("renal-caution", "hepatic-caution") and f.severity.label in ("high", "critical")
            }
        )
    )
    return Situation(
        pain=UNSCORED if score is None else score,
        responsiveness=responsive,
        toxic=tuple(f.hazard for f in findings if f.hazard in TOXIC and f.severity >= Severity.MODERATE),
        drowsy=values.get("sedation") in SEDATED
        or (symptoms.get("drowsiness") or 0) >= _policy(context, "drowsy_from"),
        frail=is_frail(context),
        ome=context.opioids.ome_mg_per_day or 0.0,
        regular_ome=context.opioids.regular_ome_mg_per_day or 0.0,
        taken_rescue_doses=sum(m.doses_last_24h or 0.0 for m in agonists if m.prn),
        background=tuple(m for m in agonists if not m.prn),
        rescue=tuple(m for m in agonists if m.prn),
        renal_trouble=trouble,
        scored=score is not None,
        dying=DYING in context.facts.conditions,
        febrile=float(values.get("temperature_c") or 0.0) >= _policy(context, "patch_not_raised_from_c"),
    )


def _policy(context: Context, name: str) -> float:
    value: Any = context.policy.opioid[name]
    return float(value)


def why_not_raise(context: Context, s: Situation) -> tuple[str, ...]:
    """Every reason against raising the opioid; empty when there is none."""
    reasons = []
    if "opioid-toxicity" in s.toxic:
        reasons.append("Signs of opioid toxicity (breathing or sedation): raising the dose is dangerous.")
    if "opioid-neurotoxicity" in s.toxic:
        reasons.append("Signs of opioid neurotoxicity: raising the dose makes it worse.")
    if not s.scored:
        reasons.append("How severe the pain is was not given: ask before a dose is raised.")
    if s.pain < 4:
        reasons.append("Pain is controlled (below 4 of 10).")
    if s.drowsy:
        reasons.append("Drowsiness limits the dose: reduce, rotate or add an adjuvant instead.")
    if s.ome >= _policy(context, "escalation_cap_ome_mg"):
        reasons.append(
            f"The daily dose is already {s.ome:.0f} mg oral morphine: rotate or ask a specialist rather than raise."
        )
    return tuple(reasons)


def why_not_raise_this(s: Situation, medicine: Medicine) -> tuple[str, ...]:
    """Reasons against raising this one of the opioids."""
    if medicine.id in s.renal_trouble:
        return (
            f"{medicine.drug.name} does not fit this kidney or liver function: change the opioid rather than raise it.",
        )
    if s.febrile and medicine.route == "transdermal":
        return (
            "Fever speeds absorption from a patch: treat the fever and use rescue doses before the patch is raised.",
        )
    return ()


def step_share(context: Context, s: Situation) -> float:
    """By how much to raise: less in mild pain and in the frail."""
    if s.frail:
        return _policy(context, "frail_escalation")
    return _policy(context, "escalation_severe") if s.pain >= 7 else _policy(context, "escalation_mild")


def _order_like(medicine: Medicine, dose: float) -> dict[str, Any]:
    form = (
        "modified-release"
        if "modified-release" in medicine.forms
        else "patch"
        if "patch" in medicine.forms
        else "immediate-release"
    )
    if medicine.is_rate and medicine.route == "transdermal":
        return {
            "dose": dose,
            "unit": "mcg/h",
            "route": medicine.route,
            "form": "patch",
            "interval_h": patch_interval_h(medicine.drug, dose),
        }
    if medicine.is_rate:
        return {"dose": dose, "unit": f"{medicine.drug.dose_unit}/24h", "route": medicine.route}
    order: dict[str, Any] = {"dose": dose, "unit": medicine.drug.dose_unit, "route": medicine.route, "form": form}
    times = medicine.times_per_day or (24.0 / medicine.interval_h if medicine.interval_h else 1.0)
    return {**order, "times_per_day": times}


def _rate_mcg_h(medicine: Medicine) -> float:
    """The rate of a patch, micrograms an hour, whatever unit the drug's record counts in."""
    return (medicine.daily_dose or 0.0) * MASS_MG.get(medicine.drug.dose_unit, 1.0) / MASS_MG["mcg"] / 24.0


def _current(medicine: Medicine) -> float | None:
    """The dose as it is ordered now: one dose, a patch's rate, or a day's infusion."""
    if not medicine.is_rate:
        return medicine.single_dose
    return _rate_mcg_h(medicine) if medicine.route == "transdermal" else medicine.daily_dose


def _changed_dose(medicine: Medicine, factor: float, up: bool, least: float = 0.0) -> float | None:
    """The dose after a step, rounded down to real strengths, to no less than a share; None when rounding leaves no change."""
    current = _current(medicine)
    if not current:
        return None
    form = (
        "modified-release"
        if "modified-release" in medicine.forms
        else "patch"
        if "patch" in medicine.forms
        else "immediate-release"
    )
    pumped = medicine.is_rate and medicine.route != "transdermal"  # drawn up, so no ampoule size binds it
    strengths = None if pumped else strengths_of(Target(medicine.drug, medicine.route or "", form))
    dose = round_down(current * factor, strengths)
    if up and dose <= current:
        step = next_up(current, strengths) or current
        dose = step if step <= current * 2.0 else current
    if not up and dose < current * least:
        dose = _not_too_sharp(dose, current, current * least, strengths, form)
    return dose if dose and dose != current else None


def _not_too_sharp(dose: float, current: float, least: float, strengths: Strength | None, form: str) -> float:
    """A lowered dose that rounding has made a sharp cut: the next product up, or the least of what is drawn up or divided."""
    step = next_up(dose, strengths)
    if step is not None and step < current:
        return step
    return least if form == "immediate-release" else dose


def raise_background(context: Context, symptom: str, s: Situation) -> Iterator[Candidate]:
    """Raise each background opioid by the step that fits the pain."""
    share = step_share(context, s)
    benefit = {"yes": 8.0, "partly": 6.0, "poorly": 2.5}.get(s.responsiveness, 0.0) + (
        1.5 if s.pain >= SEVERE_PAIN else 0.0
    )
    for medicine in s.background:
        dose = None if why_not_raise_this(s, medicine) else _changed_dose(medicine, 1.0 + share, up=True)
        if dose is None or medicine.drug.opioid is None or medicine.drug.opioid.action not in ("full", "partial"):
            continue
        order = _order_like(medicine, dose)
        rescue = _rescue(context, s, medicine, order)
        label = f"Raise {medicine.drug.name} to {dose:g} {order['unit']} ({share:.0%} step)"
        rationale = f"Pain {s.pain:g} of 10 on {s.ome:.0f} mg oral morphine a day; {s.taken_rescue_doses:g} rescue doses in 24 h."
        option = generated(
            f"increase-{medicine.id}",
            "increase",
            label,
            rationale,
            benefit,
            SOURCE,
            titration=f"By {share:.0%} at most every {_wait(medicine)}; adjust the rescue dose with it.",
            review_after="24 to 48 h: pain, sedation, respiratory rate, bowels",
            burden=1.0,
        )
        yield Candidate(symptom, option, medicine.drug, order, frozenset({medicine.order}), rescue, score=benefit - 1.0)


def _wait(medicine: Medicine) -> str:
    """How long a step must be left to show its whole effect."""
    if medicine.route == "transdermal":
        return "72 h"
    return "5 to 7 days" if (medicine.drug.half_life_h or 0) >= LONG_HALF_LIFE_H else "24 to 48 h"


def lower_background(context: Context, symptom: str, s: Situation) -> Iterator[Candidate]:
    """Lower the background opioid: over-treatment, drowsiness, toxicity."""
    toxic = bool(s.toxic)
    if not (toxic or (s.pain < 4 and s.drowsy)):
        return
    share = 0.5 if "opioid-toxicity" in s.toxic else 0.25
    for medicine in s.background:
        least = min(1.0 - share, 1.0 - stopping.most_taken_off(context, medicine))
        dose = _changed_dose(medicine, 1.0 - share, up=False, least=least)
        if dose is not None:
            yield _lowered(context, symptom, s, medicine, dose)
    if "opioid-toxicity" in s.toxic:
        yield _breathing_first(symptom, s)


def _lowered(context: Context, symptom: str, s: Situation, medicine: Medicine, dose: float) -> Candidate:
    order = _order_like(medicine, dose)
    option = generated(
        f"reduce-{medicine.id}",
        "reduce",
        f"Lower {medicine.drug.name} to {dose:g} {order['unit']}",
        "Signs of opioid toxicity." if s.toxic else "Pain is controlled and the patient is drowsy.",
        8.0,
        ("pallipedia-neurotoxicity#management",),
        titration="Lower further by a quarter if drowsiness or toxicity stays; lower the rescue dose with it.",
        review_after="24 h: pain, sedation, respiratory rate",
    )
    rescue = _rescue(context, s, medicine, order)
    return Candidate(symptom, option, medicine.drug, order, frozenset({medicine.order}), rescue, score=8.0)


def _rescue(context: Context, s: Situation, medicine: Medicine, order: dict[str, Any]) -> Any:
    """The rescue dose that goes with an order: of the same opioid, else of another beside a patch or methadone."""
    target = Target(medicine.drug, medicine.route or "", order.get("form", ""))
    rules = rules_of(context, medicine.drug, medicine.route or "")
    if medicine.route != "transdermal" and rules.get("rescue", True):
        return breakthrough_of(target, daily_of(order), medicine.drug.dose_unit, habits_of(context))
    before = daily_of(_order_like(medicine, _current(medicine) or 0.0))
    ome = s.regular_ome * daily_of(order) / before if before else 0.0
    return rescue_for(context, (*s.rescue, *s.background), ome, frozenset(s.renal_trouble))


def _breathing_first(symptom: str, s: Situation) -> Candidate:
    """Slow breathing: an emergency in whoever is not dying, a question in whoever is."""
    if s.dying:
        option = generated(
            "judge-breathing",
            "review",
            "Slow breathing in the last days: dying or too much opioid? Look for pinpoint pupils, jerks, a recent dose or failing kidneys",
            "Slow breathing belongs to dying. If it is the opioid, halve the dose rather than stop it; naloxone only if it would be the patient's wish.",
            10.0,
            ("scottish-naloxone#indications",),
            review_after="30 to 60 minutes",
        )
    else:
        option = generated(
            "hold-opioids",
            "hold",
            "Hold the opioid and other sedatives; remove patches; support breathing",
            "Respiratory depression or deep sedation: naloxone in small titrated doses when breathing is below 8 a minute.",
            10.0,
            ("scottish-naloxone#indications",),
            review_after="minutes to hours",
        )
    return Candidate(symptom, option, score=10.0)


def go_on(symptom: str, s: Situation) -> Iterator[Candidate]:
    """Controlled pain without side effects: leave the treatment as it is, and say when to think again."""
    if s.scored and s.pain < 4 and not s.toxic and not s.drowsy and s.background:
        option = generated(
            "go-on",
            "monitor",
            "Go on unchanged: pain is controlled; bowels, sedation and rescue use at each visit",
            "Think again at pain of 4 or more, three or more rescue doses a day, drowsiness, jerks or confusion, or falling kidney function.",
            7.0,
            SOURCE,
            review_after="1 week when stable, 24 h in the last days",
        )
        yield Candidate(symptom, option, score=7.0)


def rotation_reason(s: Situation, context: Context) -> str:
    """Why one would rotate here, or nothing."""
    if s.toxic:
        return "toxicity"
    if any(m.id in s.renal_trouble for m in (*s.background, *s.rescue)):
        return "renal"
    if s.drowsy and s.pain >= _policy(context, "pain_from"):
        return "toxicity"
    if s.ome >= _policy(context, "escalation_cap_ome_mg") and s.pain >= _policy(context, "pain_from"):
        return "pain"
    if context.facts.conditions & SWALLOWING and any(m.route == "oral" for m in s.background):
        return "route"
    if s.pain >= _policy(context, "pain_from") and s.background and all(_has_ceiling(m) for m in s.background):
        return "ceiling"
    return "pain" if s.pain >= _policy(context, "pain_from") and s.ome >= _policy(context, "high_dose_ome_mg") else ""


def _has_ceiling(medicine: Medicine) -> bool:
    """Weak opioids and partial agonists: beyond some dose more of them gives little."""
    opioid = medicine.drug.opioid
    return opioid is not None and (not opioid.strong or opioid.action == "partial")


def _specialist(symptom: str, name: str, why: str) -> Candidate:
    option = generated(
        "refer-rotation",
        "refer",
        f"Ask a specialist before changing {name} for another opioid",
        why,
        4.0,
        ("msd-manual-2023#methadone",),
    )
    return Candidate(symptom, option, score=4.0)


def rotations(context: Context, symptom: str, s: Situation) -> Iterator[Candidate]:
    """Rotate to each opioid that the policy lists."""
    reason = rotation_reason(s, context)
    orders = (*s.background, *s.rescue)
    base = base_of(context, orders, reason)
    if base.refused and s.background:
        yield _specialist(symptom, s.background[0].drug.name, base.refused)
        return
    if not reason or not s.background or base.ome_mg_per_day <= 0:
        return
    benefit = {"toxicity": 8.5, "renal": 8.0, "route": 6.5, "ceiling": 8.0, "pain": 5.0}[reason]
    taken = {m.id for m in orders}
    for row in context.policy.opioid["rotation"]:
        entry = context.index.drugs.get(row["drug"])
        wanted = row.get("reasons", (reason,))
        if entry is None or reason not in wanted or (row["drug"] in taken and reason != "route"):
            continue
        target = Target(entry.drug, row["route"], row["form"])
        plan = plan_conversion(context, orders, base, target, reason, frozenset(s.renal_trouble))
        yield _rotation(symptom, s, row, target, plan, reason, benefit)


def _rotation(
    symptom: str, s: Situation, row: dict[str, Any], target: Target, plan: Plan, reason: str, benefit: float
) -> Candidate:
    name, result = target.drug.name, plan.result
    words = {
        "toxicity": "toxicity of the present opioid",
        "renal": "organ function",
        "route": "the route",
        "ceiling": "pain beyond what this opioid can do",
        "pain": "pain despite a high dose",
    }
    dose = f"{result.order['dose']:g} {result.order['unit']}" if result.order else ""
    option = generated(
        f"rotate-{target.drug.id}-{target.route.replace(' ', '-')}",
        "rotate",
        f"Rotate to {name} {target.route} {dose}".strip(),
        f"Because of {words[reason]}. {row.get('note', '')}".strip(),
        benefit,
        tuple(row.get("sources", SOURCE)),
        burden=1.5,
        titration=row.get("titration", "Titrate after 48 to 72 h by pain and rescue use."),
        review_after=row.get("review_after", "24 h"),
    )
    replaces = frozenset(m.order for m in (*s.background, *s.rescue))
    reasons = (result.refused,) if result.refused else (*plan.warnings, *plan.changeover)
    return Candidate(
        symptom,
        option,
        target.drug,
        result.order,
        replaces,
        result.breakthrough,
        reasons,
        benefit - 1.5 + float(row.get("points", 0)),
        (*plan.working, *result.working),
        rescue_follows=plan.rescue_follows,
    )


def look_for_reasons(context: Context, symptom: str, s: Situation) -> Iterator[Candidate]:
    """Therapeutic inertia: pain with frequent rescue doses asks for a review of the whole plan."""
    if s.pain >= _policy(context, "pain_from") and s.taken_rescue_doses >= _policy(context, "rescue_doses_for_review"):
        label = f"Review the plan: pain {s.pain:g} with {s.taken_rescue_doses:g} rescue doses in 24 h"
        option = generated(
            "review-inertia",
            "review",
            label,
            "Frequent rescue doses without a change of plan: ask whether the pain is opioid-responsive, the cause treatable, the drug absorbed.",
            6.0,
            ("fast-fact-215#causes",),
            review_after="24 h",
        )
        yield Candidate(symptom, option, score=6.0)

"""What to do with the opioid itself: raise, lower, rotate, change route, or leave it and look for the reason.

Each step is worked out from this regimen's totals and the policy's numbers. Whether it is safe here is not decided in this
module: `suggest` screens every step like any other option.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from medsafe.checks import stopping
from medsafe.context.context import Context
from medsafe.model.drugs import Strength
from medsafe.model.findings import Finding
from medsafe.model.medicine import Medicine
from medsafe.model.options import Option
from medsafe.model.statements import Citation, Severity
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
from medsafe.suggestions.options import Candidate, worked_out

TOXIC = ("opioid-toxicity", "opioid-neurotoxicity")
DYING = "last-days-of-life"
NAIVE = "opioid-naive-start"


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
    poorly_absorbed: frozenset[str] = frozenset()
    refused: frozenset[str] = frozenset()
    rising: frozenset[str] = frozenset()


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
        pain=_policy(context, "pain_unscored") if score is None else score,
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
        poorly_absorbed=frozenset(o for f in findings if f.hazard == "absorption-decrease" for o in f.orders),
        refused=frozenset(o for f in findings if f.hazard == NAIVE and f.severity >= Severity.HIGH for o in f.orders),
        rising=frozenset(o for f in findings if _rises(f) for o in f.orders),
        febrile=float(values.get("temperature_c") or 0.0) >= _policy(context, "patch_not_raised_from_c"),
    )


def _rises(finding: Finding) -> bool:
    """Whether a finding says that exposure rises by itself, by so much that a dose should wait for it."""
    size = finding.magnitude.value if finding.magnitude else None
    return finding.hazard == "time-course" and finding.severity >= Severity.HIGH and size is not None and size > 1


def _policy(context: Context, name: str) -> float:
    value: Any = context.policy.opioid[name]
    return float(value)


def _words(context: Context, name: str) -> Mapping[str, str]:
    found: Mapping[str, str] = context.policy.opioid[name]
    return found


def _controlled(context: Context, s: Situation) -> bool:
    return s.pain < _policy(context, "pain_from")


def why_not_raise(context: Context, s: Situation) -> tuple[str, ...]:
    """Every reason against raising the opioid; empty when there is none."""
    holds = {
        **{hazard: hazard in s.toxic for hazard in TOXIC},
        "unscored": not s.scored,
        "controlled": _controlled(context, s),
        "drowsy": s.drowsy,
        "cap": s.ome >= _policy(context, "escalation_cap_ome_mg"),
    }
    words = _words(context, "not_raised")
    return tuple(words[reason].format(ome=f"{s.ome:.0f}") for reason, held in holds.items() if held)


def why_not_raise_this(context: Context, s: Situation, medicine: Medicine) -> tuple[str, ...]:
    """Reasons against raising this one of the opioids."""
    words = _words(context, "not_raised")
    if medicine.new:
        return (words["new"].format(drug=medicine.drug.name),)
    if medicine.id in s.renal_trouble:
        return (words["organs"].format(drug=medicine.drug.name),)
    if medicine.order in s.rising:
        return (words["rising"].format(drug=medicine.drug.name),)
    return (words["fever"],) if s.febrile and medicine.route == "transdermal" else ()


def step_share(context: Context, s: Situation) -> float:
    """By how much to raise: less in mild pain and in the frail."""
    if s.frail:
        return _policy(context, "frail_escalation")
    return (
        _policy(context, "escalation_severe")
        if s.pain >= _policy(context, "severe_pain_from")
        else _policy(context, "escalation_mild")
    )


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
    share, benefit = step_share(context, s), _raise_benefit(context, s)
    for medicine in s.background:
        dose = None if why_not_raise_this(context, s, medicine) else _changed_dose(medicine, 1.0 + share, up=True)
        if dose is None or medicine.drug.opioid is None or medicine.drug.opioid.action not in ("full", "partial"):
            continue
        order = _order_like(medicine, dose)
        words = _dose_words(medicine, order) | {
            "share": f"{dose / (_current(medicine) or dose) - 1.0:.0%}",
            "step": f"{share:.0%}",
            "pain": f"{s.pain:g}",
            "ome": f"{s.ome:.0f}",
            "rescues": f"{s.taken_rescue_doses:g}",
            "wait": _wait(context, medicine),
        }
        less = _policy(context, "poorly_absorbed_takes") if medicine.order in s.poorly_absorbed else 0.0
        option = worked_out(context, "raise", words, f"increase-{medicine.id}", max(0.0, benefit - less))
        yield _instead(symptom, option, medicine, order, _rescue(context, s, medicine, order))


def _raise_benefit(context: Context, s: Situation) -> float:
    """What a raise promises, by how well the pain answers to opioids and how severe it is."""
    by_answer: Mapping[str, float] = context.policy.opioid["raise_benefit"]
    severe = s.pain >= _policy(context, "severe_pain_from")
    return by_answer.get(s.responsiveness, 0.0) + (_policy(context, "severe_pain_adds") if severe else 0.0)


def _dose_words(medicine: Medicine, order: Mapping[str, Any]) -> dict[str, str]:
    return {"drug": medicine.drug.name, "dose": f"{order['dose']:g}", "unit": str(order["unit"])}


def _instead(symptom: str, option: Option, medicine: Medicine, order: dict[str, Any], rescue: Any) -> Candidate:
    """A changed dose in the place of the one that is ordered now."""
    score = option.benefit - option.burden
    return Candidate(symptom, option, medicine.drug, order, frozenset({medicine.order}), rescue, score=score)


def _wait(context: Context, medicine: Medicine) -> str:
    """How long a step must be left to show its whole effect."""
    slow = (medicine.drug.half_life_h or 0) >= _policy(context, "slow_from_half_life_h")
    waits: Any = context.policy.opioid["step_waits"]
    return str(waits["patch" if medicine.route == "transdermal" else "slow" if slow else "usual"])


def lower_background(context: Context, symptom: str, s: Situation) -> Iterator[Candidate]:
    """Lower the background opioid: over-treatment, drowsiness, toxicity."""
    if not (s.toxic or (_controlled(context, s) and s.drowsy)):
        return
    slow = "opioid-toxicity" in s.toxic
    share = _policy(context, "lowered_by_in_slow_breathing" if slow else "lowered_by")
    for medicine in s.background:
        least = min(1.0 - share, 1.0 - stopping.most_taken_off(context, medicine))
        dose = _changed_dose(medicine, 1.0 - share, up=False, least=least)
        if dose is not None:
            order = _order_like(medicine, dose)
            step = "lower-toxic" if s.toxic else "lower-drowsy"
            option = worked_out(context, step, _dose_words(medicine, order), f"reduce-{medicine.id}")
            yield _instead(symptom, option, medicine, order, _rescue(context, s, medicine, order))
    if slow:
        # An emergency in whoever is not dying, a question in whoever is.
        option = worked_out(context, "judge-breathing" if s.dying else "hold-opioids", {})
        yield Candidate(symptom, option, score=option.benefit)


def _rescue(context: Context, s: Situation, medicine: Medicine, order: dict[str, Any]) -> Any:
    """The rescue dose that goes with an order: of the same opioid, else of another beside a patch or methadone."""
    target = Target(medicine.drug, medicine.route or "", order.get("form", ""))
    rules = rules_of(context, medicine.drug, medicine.route or "")
    if medicine.route != "transdermal" and rules.get("rescue", True):
        return breakthrough_of(target, daily_of(order), medicine.drug.dose_unit, habits_of(context))
    before = daily_of(_order_like(medicine, _current(medicine) or 0.0))
    ome = s.regular_ome * daily_of(order) / before if before else 0.0
    return rescue_for(context, (*s.rescue, *s.background), ome, frozenset(s.renal_trouble))


def add_rescue(context: Context, symptom: str, s: Situation) -> Iterator[Candidate]:
    """A rescue dose where a regular opioid has none that may be given; not beside maintenance, whose dose says nothing of it."""
    rules: Mapping[str, Any] = context.policy.opioid["add_rescue"]
    usable = [m for m in s.rescue if m.order not in s.refused]
    barred = context.facts.conditions & set(rules["not_with"])
    too_much = s.ome >= _policy(context, "escalation_cap_ome_mg")
    if usable or s.toxic or too_much or not s.background or barred or any(m.new for m in s.background):
        return
    if len(s.background) == 1:
        rescue = _rescue(context, s, s.background[0], _order_like(s.background[0], _current(s.background[0]) or 0.0))
    else:
        rescue = rescue_for(context, s.background, s.regular_ome, frozenset(s.renal_trouble))
    if rescue is None or any(not rules_of(context, m.drug, m.route or "").get("rescue", True) for m in s.background):
        return
    drug = context.index.drugs[rescue["drug"]].drug
    in_pain = s.pain >= _policy(context, "pain_from")
    benefit = rules["in_pain"].get(s.responsiveness, 0.0) if in_pain else rules["controlled"]
    option = worked_out(context, "add-rescue", {"drug": drug.name}, benefit=benefit)
    order = {key: value for key, value in rescue.items() if key != "drug"}
    stands = frozenset(m.order for m in (*s.background, *s.rescue))
    yield Candidate(symptom, option, drug, order, score=option.benefit, beside=stands)


def go_on(context: Context, symptom: str, s: Situation) -> Iterator[Candidate]:
    """Controlled pain without side effects: leave the treatment as it is, and say when to think again."""
    if s.scored and _controlled(context, s) and not s.toxic and not s.drowsy and s.background:
        option = worked_out(context, "go-on", {})
        yield Candidate(symptom, option, score=option.benefit)


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
    if context.facts.conditions & context.policy.no_oral_with and any(m.route == "oral" for m in s.background):
        return "route"
    if s.pain >= _policy(context, "pain_from") and any(m.order in s.poorly_absorbed for m in s.background):
        return "route"
    if s.pain >= _policy(context, "pain_from") and s.background and all(_has_ceiling(m) for m in s.background):
        return "ceiling"
    return "pain" if s.pain >= _policy(context, "pain_from") and s.ome >= _policy(context, "high_dose_ome_mg") else ""


def _has_ceiling(medicine: Medicine) -> bool:
    """Weak opioids and partial agonists: beyond some dose more of them gives little."""
    opioid = medicine.drug.opioid
    return opioid is not None and (not opioid.strong or opioid.action == "partial")


def rotations(context: Context, symptom: str, s: Situation) -> Iterator[Candidate]:
    """Rotate to each opioid that the policy lists."""
    reason = rotation_reason(s, context)
    orders = (*s.background, *s.rescue)
    base = base_of(context, orders, reason)
    if base.refused and s.background:
        option = worked_out(context, "refer-rotation", {"drug": s.background[0].drug.name, "why": base.refused})
        yield Candidate(symptom, option, score=option.benefit)
        return
    if not reason or not s.background or base.ome_mg_per_day <= 0:
        return
    taken = {m.id for m in orders}
    left = {m.route for m in s.background if m.order in s.poorly_absorbed} if reason == "route" else set()
    left_by = {(m.id, m.route) for m in s.background}
    for row in context.policy.opioid["rotation"]:
        entry = context.index.drugs.get(row["drug"])
        wanted = row.get("reasons", (reason,))
        if entry is None or reason not in wanted or (row["drug"] in taken and reason != "route"):
            continue
        if row["route"] in left or (reason == "route" and (row["drug"], row["route"]) in left_by):
            continue
        if s.dying and "not_dying" in row:
            option = worked_out(context, "rotate", dict.fromkeys(("drug", "route", "dose", "why", "note"), ""))
            yield Candidate(symptom, option, entry.drug, extra_reasons=(row["not_dying"],))
            continue
        target = Target(entry.drug, row["route"], row["form"])
        plan = plan_conversion(context, orders, base, target, reason, frozenset(s.renal_trouble))
        yield _rotation(context, symptom, s, row, target, plan, reason)


def _rotation(
    context: Context, symptom: str, s: Situation, row: dict[str, Any], target: Target, plan: Plan, reason: str
) -> Candidate:
    benefits: Mapping[str, float] = context.policy.opioid["rotation_benefit"]
    result = plan.result
    same = any(m.id == target.drug.id for m in (*s.background, *s.rescue))
    option = worked_out(
        context,
        "other-route" if same else "rotate",
        {
            "drug": target.drug.name,
            "route": target.route,
            "dose": f"{result.order['dose']:g} {result.order['unit']}" if result.order else "",
            "why": _words(context, "rotation_words")[reason],
            "note": row.get("note", ""),
        },
        f"rotate-{target.drug.id}-{target.route.replace(' ', '-')}",
        benefits[reason] + (_policy(context, "other_route_adds") if same else 0.0),
        [Citation(*source.split("#", 1)) for source in row.get("sources", ())],
    )
    told = {key: row[key] for key in ("titration", "review_after") if key in row}
    return Candidate(
        symptom,
        replace(option, **told),
        target.drug,
        result.order,
        frozenset(m.order for m in (*s.background, *s.rescue)),
        result.breakthrough,
        (result.refused,) if result.refused else (*plan.warnings, *plan.changeover),
        option.benefit - option.burden + _row_points(context, row),
        (*plan.working, *result.working),
        rescue_follows=plan.rescue_follows,
    )


def _row_points(context: Context, row: Mapping[str, Any]) -> float:
    """What the policy gives an opioid to rotate to; another number where it says so of failing kidneys."""
    clearance, dialysis = context.facts.values.get("crcl_ml_min"), context.facts.values.get("dialysis", "none")
    failing = dialysis != "none" or (
        isinstance(clearance, int | float) and clearance < _policy(context, "kidneys_failing_below_ml_min")
    )
    return float(row.get("points_kidneys_failing" if failing else "points", row.get("points", 0)))


def look_for_reasons(context: Context, symptom: str, s: Situation) -> Iterator[Candidate]:
    """Therapeutic inertia: pain with frequent rescue doses asks for a review of the whole plan."""
    if s.pain >= _policy(context, "pain_from") and s.taken_rescue_doses >= _policy(context, "rescue_doses_for_review"):
        words = {"pain": f"{s.pain:g}", "rescues": f"{s.taken_rescue_doses:g}"}
        option = worked_out(context, "review-inertia", words)
        yield Candidate(symptom, option, score=option.benefit)

"""Opioid safety across orders and the patient: tolerance, rescue doses, steps, conversions, toxicity."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from medsafe.context.context import UNSTATED, Context
from medsafe.context.modifiers import summary_of
from medsafe.model.findings import Finding, Magnitude, Notice, PathStep
from medsafe.model.knowledge import OpioidRule
from medsafe.model.medicine import Medicine
from medsafe.model.statements import Severity
from medsafe.model.vocabulary import DEEP_SEDATION, SEDATED

# Hazards that are about the patient's state, whichever opioid is taken: one finding however many opioids there are.
OF_THE_PATIENT = frozenset({"opioid-toxicity", "opioid-neurotoxicity", "opioid-monitoring"})


def _agonists(context: Context) -> list[Medicine]:
    return [
        m
        for m in context.active
        if m.systemic and m.drug.opioid and m.drug.opioid.action in ("full", "partial", "mixed")
    ]


def _finding(
    context: Context,
    rule: OpioidRule,
    medicines: Iterable[Medicine],
    severity: Severity | None = None,
    modifiers: tuple[str, ...] = (),
    magnitude: Magnitude | None = None,
) -> Finding:
    listed = sorted(medicines, key=lambda m: (m.id, m.order))
    names = list(dict.fromkeys(m.drug.name for m in listed))
    return Finding(
        kind="opioid-safety",
        hazard=rule.hazard,
        severity=severity or rule.severity,
        drugs=tuple(dict.fromkeys(m.id for m in listed)),
        orders=tuple(dict.fromkeys(m.order for m in listed)),
        summary=summary_of(rule.guidance.summary, names),
        key=("opioid", rule.id)
        if rule.hazard in OF_THE_PATIENT
        else ("opioid", rule.id, *sorted({m.id for m in listed})),
        consequence=rule.guidance.consequence,
        mechanism=rule.guidance.mechanism,
        path=tuple(PathStep(m.id, "judged-by", rule.id) for m in listed),
        magnitude=magnitude,
        management=rule.guidance.management,
        monitoring=rule.guidance.monitoring,
        modifiers=modifiers,
        evidence=rule.guidance.evidence,
        sources=context.index.cite(rule.guidance.sources),
        rule=f"opioid:{rule.id}",
        easiest_to_change=names[0] if names else "",
    )


def _number(context: Context, name: str) -> float:
    value: Any = context.policy.opioid[name]
    return float(value)


def _line_of(context: Context, medicine: Medicine, key: str = "ome_mg_per_day") -> float | None:
    for line in context.opioids.lines:
        if line["order"] == medicine.order and line["drug"] == medicine.id:
            value = line[key]
            return float(value) if value is not None else None
    return None


def _tolerance(context: Context, rules: dict[str, OpioidRule]) -> Iterator[Finding | Notice]:
    """Forms for the opioid-tolerant only, and long-acting forms started in the naive."""
    before = context.opioids.before_new_mg_per_day
    for medicine in _agonists(context):
        opioid = medicine.drug.opioid
        assert opioid is not None
        if not medicine.new or not context.in_focus(medicine):
            continue
        restricted = bool(opioid.tolerant_only_forms & medicine.forms) or (
            medicine.route in opioid.tolerant_only_routes
        )
        if restricted and (before is None or before < _number(context, "tolerant_ome_mg")):
            severity = None if context.opioids.naive else Severity.HIGH
            known = "not known" if before is None else f"{before:.0f} mg oral morphine a day"
            yield _finding(context, rules["tolerant-only"], [medicine], severity, (f"Opioids taken so far: {known}.",))
        elif restricted:
            yield from _duration(context, rules, medicine)
        elif context.opioids.naive and opioid.long_acting_forms & medicine.forms:
            yield _finding(context, rules["long-acting-naive"], [medicine])


def _duration(context: Context, rules: dict[str, OpioidRule], medicine: Medicine) -> Iterator[Finding | Notice]:
    """Tolerance takes a week: how long opioids have been taken, as far as it was said."""
    replaced = context.opioids.replaced.get(medicine.order)
    days, needed = context.opioids.regular_for_days, _number(context, "tolerant_days")
    if days is not None and days < needed:
        text = (f"Regular opioids for {days:g} days; {needed:g} are needed.",)
        yield _finding(context, rules["tolerant-too-short"], [medicine], None, text)
    elif days is None and context.focus is None and not (replaced and replaced[0] == medicine.id):
        message = f"{medicine.drug.name} is for those who took opioids for a week or longer: since when is not given."
        yield Notice("missing-data", "regimen.started_on", message, None, ("opioid-safety",), limits=False)


def _breakthrough(context: Context, rules: dict[str, OpioidRule]) -> Iterator[Finding | Notice]:
    """Each as-needed dose against the regular daily dose."""
    regular = context.opioids.regular_ome_mg_per_day
    if not regular:
        return
    background = [m for m in _agonists(context) if not m.prn]
    for medicine in _agonists(context):
        if (
            not medicine.prn
            or medicine.single_dose is None
            or medicine.route in (medicine.drug.opioid.tolerant_only_routes if medicine.drug.opioid else ())
        ):
            continue
        per_dose = _line_of(context, medicine, "ome_mg_per_dose")
        if per_dose is None or not context.in_focus(medicine, *background):
            continue
        share = per_dose / regular
        text = (f"One rescue dose is {share:.0%} of the regular daily dose.",)
        if share > _number(context, "breakthrough_too_large"):
            severity = Severity.HIGH if share > 2 * _number(context, "breakthrough_too_large") else Severity.MODERATE
            yield _finding(context, rules["breakthrough-large"], [medicine, *background], severity, text)
        elif share < _number(context, "breakthrough_too_small"):
            yield _finding(context, rules["breakthrough-small"], [medicine, *background], None, text)


def _toxicity(context: Context, rules: dict[str, OpioidRule]) -> Iterator[Finding | Notice]:
    agonists = _agonists(context)
    if not agonists or not context.in_focus(*agonists):
        return
    yield from _breathing(context, rules, agonists)
    if signs := _signs(context):
        extra = [f"Sign present: {sign}." for sign in signs]
        if context.facts.values.get("sedation") in SEDATED:
            extra.append("Sedated as well.")
        for reason in _kidneys(context, "kidneys_reduced_below_ml_min") or ():
            extra.append(f"{reason} Metabolites accumulate.")
        yield _finding(context, rules["neurotoxicity"], agonists, None, tuple(extra))
    else:
        yield from _possible_neurotoxicity(context, rules, agonists)


def _possible_neurotoxicity(
    context: Context, rules: dict[str, OpioidRule], agonists: list[Medicine]
) -> Iterator[Finding | Notice]:
    """A clouded mind while the kidneys fail, on an opioid whose metabolites act and are left to the kidneys."""
    agonists = [m for m in agonists if m.drug.active_metabolites]
    if not agonists:
        return
    clouded, failing = _clouded(context), _kidneys(context, "kidneys_failing_below_ml_min")
    orders = tuple(sorted({m.order for m in agonists}))
    if clouded and failing:
        yield _finding(context, rules["neurotoxicity-possible"], agonists, None, (*clouded, *failing))
    elif clouded and failing is None:
        message = "Kidney function is not known: whether the clouded mind may be opioid neurotoxicity was not judged."
        yield Notice("missing-lab", "patient.creatinine", message, None, ("opioid-safety",), orders=orders)
    elif failing and context.facts.symptoms.get("drowsiness", 0.0) is None:
        yield Notice(UNSTATED, "symptoms", "how drowsy", None, ("opioid-safety",), limits=False, orders=orders)


def _breathing(context: Context, rules: dict[str, OpioidRule], agonists: list[Medicine]) -> Iterator[Finding | Notice]:
    """Slow breathing or deep sedation; slowish breathing counts when the patient is drowsy as well."""
    rate, sedation = context.facts.values.get("respiratory_rate"), context.facts.values.get("sedation")
    signs = [f"respiratory rate {rate:g}" if rate is not None else "", f"sedation: {sedation}" if sedation else ""]
    shown = tuple(sign for sign in signs if sign)
    slow = isinstance(rate, float | int)
    if (slow and float(rate or 0.0) < _number(context, "respiratory_rate_low")) or sedation in DEEP_SEDATION:
        yield _finding(context, rules["respiratory-depression"], agonists, None, shown)
    elif slow and float(rate or 0.0) < _number(context, "respiratory_rate_slow") and sedation in SEDATED:
        yield _finding(context, rules["slow-and-drowsy"], agonists, None, shown)


def _signs(context: Context) -> list[str]:
    """Signs of neurotoxicity among the symptoms; allodynia alone belongs to a neuropathic pain that is named."""
    policy, symptoms = context.policy.opioid, context.facts.symptoms
    found = [sign for sign in policy["neurotoxic_signs"] if sign in symptoms]
    explained = set(found) <= set(policy["signs_of_nerve_pain"]) and not symptoms.keys().isdisjoint(
        policy["nerve_pains"]
    )
    return [] if explained else found


def _clouded(context: Context) -> tuple[str, ...]:
    facts = context.facts
    found = []
    if "delirium" in facts.symptoms or "delirium" in facts.conditions:
        found.append("Delirium.")
    if (facts.symptoms.get("drowsiness") or 0.0) >= _number(context, "drowsy_from") or facts.values.get(
        "sedation"
    ) == "drowsy":
        found.append("Drowsy.")
    return tuple(found)


def _kidneys(context: Context, below: str) -> tuple[str, ...] | None:
    """Why the kidneys count as failing: () where they do not, None where nothing tells."""
    values, organ = context.facts.values, context.organ
    if values.get("creatinine_trend") == "rising" or values.get("aki", "none") != "none":
        return ("Creatinine is rising.",)
    if values.get("dialysis", "none") != "none":
        return ("On dialysis.",)
    known = organ.crcl_ml_min if organ.crcl_ml_min is not None else organ.egfr_ml_min_173m2
    if known is None:
        return None
    named = "Creatinine clearance {:.0f} mL/min." if organ.crcl_ml_min is not None else "eGFR {:.0f} mL/min/1.73 m²."
    return (named.format(known),) if known < _number(context, below) else ()


def _as_needed(context: Context, rules: dict[str, OpioidRule]) -> Iterator[Finding | Notice]:
    """Forms that act for half a day and longer, ordered as needed."""
    for medicine in _agonists(context):
        opioid = medicine.drug.opioid
        if medicine.prn and opioid and opioid.long_acting_forms & medicine.forms and context.in_focus(medicine):
            yield _finding(context, rules["long-acting-as-needed"], [medicine])


def _implausible(context: Context, rules: dict[str, OpioidRule]) -> Iterator[Finding | Notice]:
    """A new order far beyond what was taken, or any order beyond what is ever given: a slip of unit or decimal point."""
    before = context.opioids.before_new_mg_per_day or 0.0
    for medicine in _agonists(context):
        ome = _line_of(context, medicine)
        if ome is None or not context.in_focus(medicine):
            continue
        jump = (
            medicine.new
            and ome >= _number(context, "implausible_times") * before
            and ome >= _number(context, "implausible_from_ome_mg")
        )
        if jump or ome >= _number(context, "implausible_ome_mg"):
            against = f" against {before:.0f} before" if medicine.new else ""
            text = (f"{ome:.0f} mg oral morphine a day{against}: check the unit and the decimal point.",)
            yield _finding(context, rules["implausible-dose"], [medicine], None, text)


def _monitoring(context: Context, rules: dict[str, OpioidRule]) -> Iterator[Finding | Notice]:
    ome = context.opioids.ome_mg_per_day
    bounds: Any = context.policy.opioid["monitoring_ome_mg"]
    if context.focus is None and ome is not None and ome >= min(bounds):
        reached = max(bound for bound in bounds if ome >= bound)
        text = (f"{ome:.0f} mg oral morphine equivalent a day, at or above {reached:g}.",)
        yield _finding(
            context,
            rules["monitoring-prompt"],
            _agonists(context),
            None,
            text,
            Magnitude("ome-mg-per-day", round(ome, 1), "table"),
        )


def _replacements(context: Context, rules: dict[str, OpioidRule]) -> Iterator[Finding | Notice]:
    """A new order against the one it replaces: the step of the same opioid, the conversion of another."""
    for medicine in _agonists(context):
        ratio, same = _replacement_ratio(context, medicine)
        if ratio is None or not context.in_focus(medicine):
            continue
        text = (f"The new order is {ratio:.0%} of the one it replaces, in oral morphine.",)
        if same and ratio > 1 + _number(context, "largest_step"):
            yield _finding(context, rules["escalation-step"], [medicine], None, text)
        elif not same and (
            ratio > _number(context, "conversion_too_large") * _with_rescue(context, medicine)
            or (ratio < _number(context, "conversion_too_small") and not _one_way(context, medicine))
        ):
            severity = Severity.HIGH if ratio > 1 else Severity.MODERATE
            yield _finding(context, rules["conversion-mismatch"], [medicine], severity, text)


def _additions(context: Context, rules: dict[str, OpioidRule]) -> Iterator[Finding | Notice]:
    """A regular new order that replaces nothing, on top of what is taken already."""
    before = context.opioids.before_new_mg_per_day
    for medicine in _agonists(context):
        ome = _line_of(context, medicine)
        if not before or ome is None or not medicine.new or medicine.prn or not context.in_focus(medicine):
            continue
        alone = medicine.order not in context.opioids.replaced
        if alone and ome > _number(context, "naive_below_ome_mg") and ome > before * _number(context, "largest_step"):
            text = (f"{ome:.0f} mg oral morphine a day on top of {before:.0f}.",)
            yield _finding(context, rules["added-dose"], [medicine], None, text)


def _one_way(context: Context, medicine: Medicine) -> bool:
    """Whether the factor for adding up says little of a dose that was converted by a one-way table."""
    return any(r.opioid == medicine.id and r.direction == "from-morphine" for r in context.index.knowledge.conversion)


def _replacement_ratio(context: Context, medicine: Medicine) -> tuple[float | None, bool]:
    replaced = context.opioids.replaced.get(medicine.order)
    ome = _line_of(context, medicine)
    if replaced is None or ome is None or not replaced[1]:
        return None, False
    return ome / replaced[1], replaced[0] == medicine.id


def _with_rescue(context: Context, medicine: Medicine) -> float:
    """By how much as-needed doses that were taken raise what a conversion may start from, 2 at the most."""
    regular = context.opioids.replaced[medicine.order][1] or 0.0
    step = 1.0 + _number(context, "largest_step")
    return min(step, 1.0 + context.opioids.as_needed_taken_mg_per_day / regular) if regular else 1.0


def find(context: Context) -> Iterator[Finding | Notice]:
    """Every rule of opioid safety."""
    rules = dict(context.index.knowledge.opioid_rules)
    agonists = _agonists(context)
    if not agonists or not context.in_focus(*agonists):
        return
    for part in (
        _tolerance,
        _as_needed,
        _breakthrough,
        _toxicity,
        _implausible,
        _monitoring,
        _replacements,
        _additions,
    ):
        yield from part(context, rules)

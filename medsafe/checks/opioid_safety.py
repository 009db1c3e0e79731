"""Opioid safety across orders and the patient: tolerance, rescue doses, steps, conversions, toxicity."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from medsafe.context.context import Context
from medsafe.context.modifiers import summary_of
from medsafe.model.findings import Finding, Magnitude, Notice, PathStep
from medsafe.model.knowledge import OpioidRule, Severity
from medsafe.model.medicine import Medicine

# Words of the field for the signs of neurotoxicity and of deep sedation.
NEUROTOXIC_SIGNS = ("myoclonus", "hallucinations", "hyperalgesia", "allodynia")
DEEP_SEDATION = ("difficult to rouse", "unresponsive")
# Hazards that are about the patient's state, whichever opioid is taken: one finding however many opioids there are.
OF_THE_PATIENT = frozenset({"opioid-toxicity", "opioid-neurotoxicity", "opioid-monitoring"})
SEDATED = ("drowsy", *DEEP_SEDATION)


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


def _line_of(context: Context, medicine: Medicine) -> float | None:
    for line in context.opioids.lines:
        if line["order"] == medicine.order and line["drug"] == medicine.id:
            value = line["ome_mg_per_day"]
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
        elif context.opioids.naive and opioid.long_acting_forms & medicine.forms:
            yield _finding(context, rules["long-acting-naive"], [medicine])


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
            or not medicine.daily_dose
            or medicine.route in ("buccal", "oromucosal", "intranasal")
        ):
            continue
        ome = _line_of(context, medicine)
        taken = (
            medicine.doses_last_24h
            if medicine.doses_last_24h is not None
            else medicine.daily_dose / medicine.single_dose
        )
        if ome is None or not taken or not context.in_focus(medicine):
            continue
        share = ome / taken / regular
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
    rate, sedation = context.facts.values.get("respiratory_rate"), context.facts.values.get("sedation")
    if (isinstance(rate, float | int) and rate < _number(context, "respiratory_rate_low")) or sedation in DEEP_SEDATION:
        signs = [f"respiratory rate {rate:g}" if rate is not None else "", f"sedation: {sedation}" if sedation else ""]
        yield _finding(context, rules["respiratory-depression"], agonists, None, tuple(s for s in signs if s))
    signs = [sign for sign in NEUROTOXIC_SIGNS if sign in context.facts.symptoms]
    if signs:
        extra = [f"Sign present: {sign}." for sign in signs]
        if sedation in SEDATED:
            extra.append("Sedated as well.")
        crcl = context.organ.crcl_ml_min
        if crcl is not None and crcl < 60:
            extra.append(f"Kidney function is reduced (CrCl {crcl:.0f} mL/min): metabolites accumulate.")
        yield _finding(context, rules["neurotoxicity"], agonists, None, tuple(extra))


def _implausible(context: Context, rules: dict[str, OpioidRule]) -> Iterator[Finding | Notice]:
    """A new order far beyond what was taken: a slip of unit or of a factor of ten."""
    before = context.opioids.before_new_mg_per_day or 0.0
    for medicine in _agonists(context):
        ome = _line_of(context, medicine)
        if ome is None or not medicine.new or not context.in_focus(medicine):
            continue
        jump = ome >= _number(context, "implausible_times") * before and ome >= _number(
            context, "implausible_from_ome_mg"
        )
        if jump or ome >= _number(context, "implausible_ome_mg"):
            text = (
                f"{ome:.0f} mg oral morphine a day against {before:.0f} before: check the unit and the decimal point.",
            )
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
            ratio > _number(context, "conversion_too_large") or ratio < _number(context, "conversion_too_small")
        ):
            severity = Severity.HIGH if ratio > 1 else Severity.MODERATE
            yield _finding(context, rules["conversion-mismatch"], [medicine], severity, text)


def _replacement_ratio(context: Context, medicine: Medicine) -> tuple[float | None, bool]:
    replaced = context.opioids.replaced.get(medicine.order)
    ome = _line_of(context, medicine)
    if replaced is None or ome is None or not replaced[1]:
        return None, False
    return ome / replaced[1], replaced[0] == medicine.id


def find(context: Context) -> Iterator[Finding | Notice]:
    """Every rule of opioid safety."""
    rules = dict(context.index.knowledge.opioid_rules)
    agonists = _agonists(context)
    if not agonists or not context.in_focus(*agonists):
        return
    for part in (_tolerance, _breakthrough, _toxicity, _implausible, _monitoring, _replacements):
        yield from part(context, rules)

"""One conversion planned whole: what is taken, how much of it counts, the table's dose, its traps, the order, the change-over.

`POST /v1/opioids/convert` and the rotations among the suggestions are worked out here, so that they cannot differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from medsafe.context.context import Context
from medsafe.model.drugs import Drug
from medsafe.model.medicine import Medicine
from medsafe.opioids.base import Base, conversion_base
from medsafe.opioids.conversion import Conversion, Habits, Target, breakthrough_of, convert
from medsafe.opioids.totals import ANTAGONISTS, is_agonist, row_for

FRAIL = frozenset({"frailty", "cachexia", "dementia", "delirium"})
FRAIL_FROM_YEARS = 75


@dataclass(frozen=True, slots=True)
class Plan:
    """A conversion with all that belongs to it; `refused` says why there is none.

    `rescue_follows` says whether the rescue dose goes by the new regular dose, and falls with it.
    """

    result: Conversion
    table: str
    working: tuple[str, ...] = ()
    changeover: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    rescue_follows: bool = True

    @property
    def refused(self) -> str:
        return self.result.refused


def is_frail(context: Context) -> bool:
    """Frail by condition or by age: half the dose rather than three quarters."""
    age = context.facts.values.get("age_years")
    return bool(context.facts.conditions & FRAIL) or (isinstance(age, float | int) and age >= FRAIL_FROM_YEARS)


def _number(context: Context, name: str) -> float:
    value: Any = context.policy.opioid[name]
    return float(value)


def habits_of(context: Context) -> Habits:
    """How the policy has rescue doses and short-acting doses given."""
    shares: Any = context.policy.opioid["breakthrough_share"]
    return Habits(
        float(shares[0]),
        int(_number(context, "rescues_per_day")),
        _number(context, "four_times_from_half_life_h"),
    )


def rules_of(context: Context, drug: Drug, route: str) -> Mapping[str, Any]:
    """The policy's own rules for beginning this opioid, empty when there are none for this route."""
    found: Mapping[str, Any] = context.policy.opioid.get("first_days", {}).get(drug.id, {})
    return found if not found.get("routes") or route in found["routes"] else {}


def table_for(context: Context, drug: Drug) -> str:
    """The table asked for when it converts into this drug, else the default one."""
    wanted = context.opioids.table
    has = any(
        r.table == wanted and r.opioid == drug.id and r.direction != "to-morphine"
        for r in context.index.knowledge.conversion
    )
    return wanted if has else context.policy.default_opioid_table


def base_of(context: Context, taken: Iterable[Medicine], reason: str) -> Base:
    """What of the opioids taken is converted: in toxicity the regular doses alone, else as-needed doses taken as well."""
    tables = (context.opioids.table, context.policy.default_opioid_table)
    rows, step = context.index.knowledge.conversion, _number(context, "largest_step")
    return conversion_base(taken, rows, tables, reason not in context.policy.opioid["rescue_not_carried_over"], step)


def reduction_for(context: Context, reason: str, frail: bool) -> tuple[float, str]:
    """Reduction for incomplete cross-tolerance and its reason; organ function is applied by the bands, not here."""
    if reason == "toxicity":
        return _number(context, "rotation_reduction_toxicity"), "toxicity"
    if frail or reason == "renal":
        return _number(context, "rotation_reduction_frail"), "frailty or organ failure" if frail else "organ failure"
    return _number(context, "rotation_reduction"), "incomplete cross-tolerance"


def _reduction(context: Context, taken: list[Medicine], target: Target, reason: str, ome: float) -> tuple[float, str]:
    """The share to take off, and why: none for the same opioid by another route, more away from a patch."""
    if taken and all(m.id == target.drug.id for m in taken) and reason != "toxicity":
        return 0.0, "the same opioid by another route needs none for cross-tolerance"
    share, why = reduction_for(context, reason, is_frail(context))
    very_high: Any = context.policy.opioid["very_high"]
    least = max((cut for bound, cut in very_high if ome >= bound), default=0.0)
    if least > share:
        share, why = least, "a very high dose"
    away = _number(context, "away_from_patch_reduction")
    if any("patch" in m.forms for m in taken) and "patch" not in target.form and share < away:
        return away, "away from a patch: its table holds in the other direction only, and the skin goes on giving"
    return share, why


def _trap(context: Context, target: Target, ome: float | None) -> str:
    """Why this drug is no opioid to convert to, or nothing."""
    opioid, name = target.drug.opioid, target.drug.name
    if opioid is None:
        return f"{name} is not an opioid"
    if opioid.action in ANTAGONISTS:
        return f"{name} is an opioid antagonist: it relieves no pain and brings on withdrawal in whoever takes opioids"
    if opioid.action == "mixed" and ome:
        return f"{name} is a mixed agonist-antagonist: after a full agonist it brings on withdrawal"
    rules = rules_of(context, target.drug, target.route)
    for fact, bound in rules.get("refused_from", {}).items():
        value = context.facts.values.get(fact)
        if isinstance(value, float | int) and value >= bound:
            return f"{name} is not begun from {fact.replace('_ms', '').replace('_', ' ')} {bound:g} ms: it is {value:g}"
    return ""


def _form_of(medicine: Medicine) -> str:
    if "patch" in medicine.forms:
        return "patch"
    if medicine.is_rate or "infusion" in (medicine.route or ""):
        return "infusion"
    return "modified-release" if "modified-release" in medicine.forms else "short-acting"


def _target_form(target: Target) -> str:
    if "infusion" in target.route:
        return "infusion"
    return next((form for form in ("patch", "modified-release") if form in target.form), "short-acting")


def changeover_of(
    context: Context, taken: Iterable[Medicine], target: Target
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """When the new opioid begins and each old one ends, with the sources."""
    texts: dict[str, None] = {}
    sources: dict[str, None] = {}
    for medicine in taken:
        if medicine.prn:
            continue
        for row in context.policy.opioid.get("changeover", ()):
            fits = row.get("from_form", _form_of(medicine)) == _form_of(medicine)
            fits = fits and row.get("from_drug", medicine.id) == medicine.id
            if fits and row.get("to_form", _target_form(target)) == _target_form(target):
                texts[row["text"]] = None
                sources |= dict.fromkeys(row["sources"])
                break
    return tuple(texts), tuple(sources)


def rescue_for(
    context: Context, taken: Iterable[Medicine], daily_ome: float, avoid: frozenset[str]
) -> dict[str, Any] | None:
    """A short-acting rescue dose of another opioid, a tenth of the daily morphine: one already taken, else by the policy."""
    rows, table = context.index.knowledge.conversion, context.policy.default_opioid_table
    listed: Any = context.policy.opioid["rescue_drugs"]
    known = [m.id for m in taken if m.id in listed]
    no_oral = bool(context.policy.no_oral_with & context.facts.conditions)
    route = "subcutaneous" if no_oral else "oral"
    for drug_id in dict.fromkeys((*known, *listed)):
        entry = context.index.drugs.get(drug_id)
        row = row_for(rows, table, drug_id, route, 0.0)
        if entry is None or row is None or drug_id in avoid:
            continue
        rescue = breakthrough_of(
            Target(entry.drug, route, ""), daily_ome / row.factor, row.unit.split("/")[0], habits_of(context)
        )
        if rescue is not None:
            return rescue
    return None


def plan_conversion(
    context: Context,
    taken: Iterable[Medicine],
    base: Base,
    target: Target,
    reason: str,
    avoid: frozenset[str] = frozenset(),
) -> Plan:
    """Plan the change from the opioids taken to another.

    Parameters
    ----------
    context: the case. taken: the opioid orders that are replaced.
    base: what of them counts. target: the opioid, route and form to change to.
    reason: pain, toxicity, renal, route or other.
    avoid: opioids that this kidney or liver rules out for rescue doses.

    Returns
    -------
    The plan, or with `refused` the reason why there is none.
    """
    agonists = [m for m in taken if is_agonist(m)]
    table = table_for(context, target.drug)
    refused = base.refused or _trap(context, target, base.ome_mg_per_day)
    if refused:
        return Plan(Conversion(refused=refused), table, base.working)
    rules = rules_of(context, target.drug, target.route)
    cut, why = _reduction(context, agonists, target, reason, base.ome_mg_per_day)
    ome, working = (base.ome_mg_per_day, base.working) if cut else _lowest(base)
    result = convert(
        ome,
        target,
        context.index.knowledge.conversion,
        table,
        cut,
        why,
        habits_of(context),
        most_per_day=rules.get("most_per_day"),
        rescue=bool(rules.get("rescue", True)),
    )
    if result.order is not None and result.breakthrough is None:
        result = _with_rescue(context, agonists, target, result, rules, avoid)
    times, sources = changeover_of(context, agonists, target)
    missing = tuple(fact for fact in rules.get("needs", ()) if fact not in context.facts.values)
    return Plan(
        result,
        table,
        working,
        times,
        tuple(rules.get("notes", ())),
        missing,
        (*rules.get("sources", ()), *sources, *base.sources),
        rules.get("rescue_from") != "previous",
    )


def _lowest(base: Base) -> tuple[float, tuple[str, ...]]:
    """Without a reduction nothing covers a disagreement between tables: the lowest value is taken."""
    if base.lowest is None or base.lowest >= base.ome_mg_per_day:
        return base.ome_mg_per_day, base.working
    text = f"published values differ: the lowest, {base.lowest:g} mg oral morphine a day, is converted"
    return base.lowest, (*base.working, text)


def _with_rescue(
    context: Context,
    taken: list[Medicine],
    target: Target,
    result: Conversion,
    rules: Mapping[str, Any],
    avoid: frozenset[str],
) -> Conversion:
    """A rescue dose of another opioid beside one that does not serve for it.

    Where the new dose says little of what relieves pain today (a capped dose that builds up over days), the policy has the
    rescue dose go by what was taken before, less the same reduction.
    """
    if rules.get("rescue_from") != "previous":
        return replace(result, breakthrough=rescue_for(context, taken, _ome_of(context, target, result), avoid))
    daily = result.base * (1.0 - result.reduction)
    rescue = rescue_for(context, taken, daily, avoid)
    if rescue is None:
        return result
    text = (
        f"rescue dose by what was taken before: {habits_of(context).rescue_share:.0%} of {daily:.4g} mg oral morphine "
        f"(less {result.reduction:.0%}), as {rescue['dose']:g} {rescue['unit']} {rescue['drug']} {rescue['route']}"
    )
    return replace(result, breakthrough=rescue, working=(*result.working, text))


def _ome_of(context: Context, target: Target, result: Conversion) -> float:
    """The new daily dose as oral morphine, by the default table."""
    if result.suggested is None:
        return 0.0
    row = row_for(
        context.index.knowledge.conversion,
        context.policy.default_opioid_table,
        target.drug.id,
        target.route,
        result.suggested,
    )
    return result.suggested * row.factor if row else 0.0


__all__ = [
    "Plan",
    "base_of",
    "changeover_of",
    "habits_of",
    "is_frail",
    "plan_conversion",
    "reduction_for",
    "rescue_for",
]

"""Harms that add up over the regimen and the patient: one finding per effect, naming every contributor.

Each medicine's weight on an effect comes from its record or its classes, within the scope of its route and dose. The
patient's own state adds points. Which score is how serious is data.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from medsafe.context.context import Context, missing_notices
from medsafe.context.modifiers import apply_modifiers, modified, summary_of
from medsafe.model.drugs import EffectWeight
from medsafe.model.findings import Finding, Magnitude, Notice, PathStep
from medsafe.model.knowledge import Effect
from medsafe.model.medicine import Medicine
from medsafe.model.statements import Modifier, Severity


@dataclass(frozen=True, slots=True)
class Contribution:
    """One drug's weight on an effect, by the heaviest of its orders."""

    medicine: Medicine
    weight: EffectWeight


def contributions(context: Context, effect: str, medicines: tuple[Medicine, ...]) -> tuple[Contribution, ...]:
    """Every drug that adds to the effect, the heaviest first; a drug ordered twice counts once."""
    heaviest: dict[str, Contribution] = {}
    for medicine in medicines:
        weight = medicine.weights.get(effect)
        if weight is not None:
            known = heaviest.get(medicine.id)
            if known is None or weight.weight > known.weight.weight:
                heaviest[medicine.id] = Contribution(medicine, weight)
    return tuple(sorted(heaviest.values(), key=lambda c: (-c.weight.weight, c.medicine.id)))


def combined(effect: Effect, weights: list[float]) -> float:
    """The score of several weights: their sum, the heaviest alone, or the heaviest plus one for each further drug."""
    if effect.combine == "sum":
        return sum(weights)
    if effect.combine == "max":
        return max(weights, default=0.0)
    return max(weights, default=0.0) + max(0, len(weights) - 1)


def counted(effect: Effect, found: tuple[Contribution, ...]) -> list[float]:
    """The weights that count: of a class that is judged by its total dose, or planned together, as many as the effect says."""
    most = effect.count_at_most
    weights: list[float] = []
    seen: Counter[str] = Counter()
    for contribution in found:
        groups = most.keys() & contribution.medicine.tags
        if all(seen[group] < most[group] for group in groups):
            weights.append(contribution.weight.weight)
        seen.update(groups)
    return weights


def severity_of(effect: Effect, score: float, drugs: int, heaviest: float) -> Severity:
    """The most serious threshold that is reached."""
    worst = Severity.NONE
    for t in effect.thresholds:
        if t.severity > worst and score >= t.score and drugs >= t.min_drugs and heaviest >= t.min_heaviest:
            worst = t.severity
    return worst


def _within_reach(effect: Effect, weights: list[float], drugs: int) -> bool:
    """Whether any threshold could be reached if every raising modifier held; most effects end here."""
    most = combined(effect, weights) + sum(m.points for m in effect.modifiers if m.points > 0)
    return bool(severity_of(effect, most, drugs, weights[0]))


def _could_matter(effect: Effect, raising_points: float, medicines: list[Medicine]) -> bool:
    """Whether any threshold could be reached however the weights combine: a bound that costs little, and ends most effects."""
    weights = [medicine.weights[effect.id].weight for medicine in medicines]
    heaviest = max(weights)
    most = max(sum(weights), heaviest + len(weights) - 1) + raising_points
    return bool(severity_of(effect, most, len(weights), heaviest))


def _judge(context: Context, effect: Effect, medicines: tuple[Medicine, ...]) -> Iterator[Finding | Notice]:
    found = contributions(context, effect.id, medicines)
    found = tuple(c for c in found if c.weight.weight >= effect.min_weight)
    if not found or not context.in_focus(*(c.medicine for c in found)):
        return
    weights = counted(effect, found)
    if not _within_reach(effect, weights, len(found)):
        return
    applied = apply_modifiers(context, effect.modifiers)
    score = combined(effect, weights) + sum(m.points for m in applied.holding)
    severity = modified(severity_of(effect, score, len(found), weights[0]), applied.holding)
    worst_score = score + sum(m.points for m in applied.unknown if m.points > 0)
    worst = modified(
        severity_of(effect, worst_score, len(found), weights[0]),
        (*applied.holding, *(m for m in applied.unknown if m.step >= 0)),
    )
    if worst > severity:
        why = f"{effect.name} with {', '.join(c.medicine.drug.name for c in found)} could not be judged fully"
        quiet = worst < Severity.MODERATE
        yield from missing_notices(context, applied.missing, effect.hazard, why, [c.medicine for c in found], quiet)
    if severity:
        yield _finding(context, effect, found, score, severity, applied.holding)


def _told_of(effect: Effect, found: tuple[Contribution, ...]) -> tuple[str, ...]:
    """What to do about the contributors that are here; not about such as are not."""
    tags = frozenset().union(*(c.medicine.tags for c in found))
    return tuple(a.text for a in effect.advice if not a.ids.isdisjoint(tags))


def _finding(
    context: Context,
    effect: Effect,
    found: tuple[Contribution, ...],
    score: float,
    severity: Severity,
    holding: tuple[Modifier, ...],
) -> Finding:
    names = [c.medicine.drug.name for c in found]
    sources = list(context.index.cite(effect.guidance.sources))
    for contribution in found:
        sources += context.index.cite(contribution.weight.sources, contribution.medicine.drug)
    ids = {c.medicine.id for c in found}
    orders = sorted({m.order for m in context.active if m.id in ids})
    easiest = min(found, key=lambda c: (c.weight.weight, c.medicine.id)).medicine.drug.name
    return Finding(
        kind="interaction",
        hazard=effect.hazard,
        severity=severity,
        drugs=tuple(c.medicine.id for c in found),
        orders=tuple(orders),
        summary=summary_of(effect.guidance.summary, names),
        key=("burden", effect.id),
        consequence=effect.guidance.consequence,
        mechanism=effect.guidance.mechanism or f"Several medicines add to {effect.name}.",
        path=tuple(
            PathStep(c.medicine.id, "contributes-to", effect.id, strength=f"{c.weight.weight:g}") for c in found
        ),
        magnitude=Magnitude("burden-score", round(score, 1), "sum of weights and patient points"),
        management=(*_told_of(effect, found), *effect.guidance.management),
        monitoring=effect.guidance.monitoring,
        modifiers=tuple(m.text for m in holding),
        evidence=effect.guidance.evidence,
        sources=tuple(dict.fromkeys(sources)),
        rule=f"effect:{effect.id}",
        soften_at_end_of_life=effect.soften_at_end_of_life,
        easiest_to_change=easiest,
    )


def find(context: Context) -> Iterator[Finding | Notice]:
    """Every effect to which the medicines of this case add up."""
    asked = context.active if context.focus is None else (context.focus,)
    concerned: dict[str, list[Medicine]] = {effect: [] for medicine in asked for effect in medicine.weights}
    for medicine in context.active:
        for effect in medicine.weights.keys() & concerned.keys():
            concerned[effect].append(medicine)
    for effect in sorted(concerned):
        entry = context.index.effects[effect]
        if _could_matter(entry.effect, entry.raising_points, concerned[effect]):
            yield from _judge(context, entry.effect, tuple(concerned[effect]))

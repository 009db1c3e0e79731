"""Curated records: pairs, patterns of three and more, and omissions, at drug or class level.

A record asks for medicines that must be there (each met by a different drug), some that must not, and circumstances.
The most specific record wins only where it names what it overrides, and only for the medicines that it is about.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import product

from medsafe.context.context import Context, missing_notices
from medsafe.context.modifiers import apply_modifiers, modified, summary_of
from medsafe.model.criteria import Truth, judge_all
from medsafe.model.findings import Finding, Notice, PathStep
from medsafe.model.knowledge import Interaction, PairEnd
from medsafe.model.medicine import Medicine

# By record: the medicines for which another record speaks in its place.
Told = Mapping[str, frozenset[frozenset[tuple[str, str]]]]


def _meets(medicine: Medicine, end: PairEnd, washout_days: float | None) -> bool:
    """Whether a medicine that has a tag of this end fills it."""
    if not end.excluding.isdisjoint(medicine.tags) or not medicine.within(end.scope):
        return False
    if not medicine.systemic and medicine.route not in end.scope.routes:
        return False
    if medicine.stopped_days_ago is None:
        return True
    if washout_days is None:
        return False
    return medicine.stopped_days_ago < max(washout_days, medicine.drug.washout_days or 0.0)


def _candidates(context: Context) -> list[Interaction]:
    tags = frozenset().union(*(m.tags for m in (*context.active, *context.stopped)))
    asked = tags if context.focus is None else context.focus.tags
    found: dict[str, Interaction] = {}
    for tag in asked & context.index.by_tag.keys():
        for record in context.index.by_tag[tag]:
            for end in record.needs:
                if end.ids.isdisjoint(tags):
                    break
            else:
                found[record.id] = record
    return [found[key] for key in sorted(found)]


def _matches(context: Context, record: Interaction) -> list[tuple[Medicine, ...]]:
    """Ways to fill every need with a different drug; at least one of them is still taken."""
    pool = (*context.active, *context.stopped) if record.washout_days is not None else context.active
    # Most medicines have none of an end's tags: that is asked first, and here, for each of many pairs.
    sides = [
        [m for m in pool if not end.ids.isdisjoint(m.tags) and _meets(m, end, record.washout_days)]
        for end in record.needs
    ]
    if not all(sides):
        return []
    found = []
    for choice in product(*sides):
        distinct = len({m.id for m in choice}) == len(choice)
        if distinct and any(m.stopped_days_ago is None for m in choice) and _orders_differ(choice):
            found.append(choice)
    return found


def _orders_differ(choice: tuple[Medicine, ...]) -> bool:
    """Ingredients of one combination product are not an interaction of the regimen."""
    return len(choice) == 1 or len({m.order for m in choice}) > 1


def _same_medicines(choice: tuple[Medicine, ...]) -> frozenset[tuple[str, str]]:
    return frozenset((m.id, m.order) for m in choice)


def _is_absent(context: Context, record: Interaction) -> bool:
    return not any(record.absent & m.tags for m in context.active)


def _judge(context: Context, record: Interaction, told: Told) -> Iterator[Finding | Notice]:
    taken = told.get(record.id, frozenset())
    matches = [choice for choice in _matches(context, record) if not any(t <= _same_medicines(choice) for t in taken)]
    if not matches or (record.absent and not _is_absent(context, record)):
        return
    every = {(m.id, m.order): m for choice in matches for m in choice}
    if not context.in_focus(*every.values()):
        return
    verdict = judge_all(record.when, context.facts)
    if verdict.truth is Truth.UNKNOWN:
        why = f"“{_told_as(record, every.values())}” could not be judged"
        yield from missing_notices(context, verdict, record.hazard, why, every.values())
    elif verdict.truth is Truth.YES:
        groups = [matches] if record.absent or len(record.needs) > 2 else _by_first(matches)
        for group in groups:
            yield from _finding(context, record, group)


def _told_as(record: Interaction, medicines: Iterable[Medicine]) -> str:
    return summary_of(record.guidance.summary, sorted({m.drug.name for m in medicines}))


def _by_first(matches: list[tuple[Medicine, ...]]) -> list[list[tuple[Medicine, ...]]]:
    """Pairs are told once for each object drug (the first need), naming all its partners."""
    groups: dict[str, list[tuple[Medicine, ...]]] = {}
    for choice in matches:
        groups.setdefault(choice[0].id, []).append(choice)
    return list(groups.values())


def _finding(context: Context, record: Interaction, group: list[tuple[Medicine, ...]]) -> Iterator[Finding | Notice]:
    applied = apply_modifiers(context, record.modifiers)
    severity = modified(record.severity, applied.holding)
    medicines = {(m.id, m.order): m for choice in group for m in choice}
    worst = modified(record.severity, (*applied.holding, *applied.unknown))
    if worst > severity:
        yield from missing_notices(
            context,
            applied.missing,
            record.hazard,
            f"“{_told_as(record, medicines.values())}” could not be judged fully",
            medicines.values(),
        )
    drugs = list(dict.fromkeys(m.id for choice in group for m in choice))
    names = [context.index.drugs[drug].drug.name for drug in drugs]
    stopped = [
        f"{m.drug.name} was stopped {m.stopped_days_ago:g} days ago and still counts."
        for m in medicines.values()
        if m.stopped_days_ago is not None
    ]
    key = _key(context, record, group[0][0].id)
    yield Finding(
        kind=record.kind,
        hazard=record.hazard,
        severity=severity,
        drugs=tuple(drugs),
        orders=tuple(sorted({o for _, o in medicines})),
        summary=summary_of(record.guidance.summary, names),
        key=key,
        consequence=record.guidance.consequence,
        mechanism=record.guidance.mechanism,
        path=_path(record, group),
        management=record.guidance.management,
        monitoring=record.guidance.monitoring,
        modifiers=(*(m.text for m in applied.holding), *stopped),
        evidence=record.guidance.evidence,
        sources=context.index.cite(record.guidance.sources),
        rule=f"record:{record.id}",
        absorbs=record.absorbs,
        soften_at_end_of_life=record.soften_at_end_of_life,
    )


def _key(context: Context, record: Interaction, victim: str) -> tuple[str, ...]:
    """Which hazard a record is about: one exposure of one victim, one effect of the regimen, or one of its own."""
    if record.hazard in EXPOSURE:
        return ("exposure", record.hazard, victim)
    if record.kind == "interaction" and record.hazard in context.index.knowledge.effects:
        return ("burden", record.hazard)
    return ("record", record.id, victim)


EXPOSURE = frozenset(
    {"exposure-increase", "exposure-decrease", "prodrug-failure", "absorption-decrease", "absorption-increase"}
)


def _path(record: Interaction, group: list[tuple[Medicine, ...]]) -> tuple[PathStep, ...]:
    if len(record.needs) == 1:
        return tuple(
            PathStep(choice[0].id, "lacks", " or ".join(sorted(record.absent)) or record.hazard) for choice in group
        )
    steps = []
    for choice in group:
        for other in choice[1:]:
            steps.append(PathStep(choice[0].id, "interacts-with", other.id, strength=record.id))
    return tuple(dict.fromkeys(steps))


def _overridden(records: list[Interaction], context: Context) -> Told:
    """Medicines for which a more specific record, itself applying to them, speaks in place of the one it names."""
    told: dict[str, frozenset[frozenset[tuple[str, str]]]] = {}
    for record in records:
        if record.overrides:
            matched = frozenset(_same_medicines(choice) for choice in _matches(context, record))
            for name in record.overrides:
                told[name] = told.get(name, frozenset()) | matched
    return told


def find(context: Context) -> Iterator[Finding | Notice]:
    """Every curated record that applies to this case."""
    records = _candidates(context)
    told = _overridden(records, context)
    for record in records:
        yield from _judge(context, record, told)

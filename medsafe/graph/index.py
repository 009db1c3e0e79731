"""Plain indexes compiled once per load from the knowledge, so that a request never walks the whole of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from medsafe.model.criteria import Facts
from medsafe.model.drugs import Caution, Drug, DrugClass, EffectWeight
from medsafe.model.findings import CitedSource
from medsafe.model.knowledge import Effect, Interaction, Knowledge
from medsafe.model.statements import Citation, Severity


@dataclass(frozen=True, slots=True)
class DrugIndex:
    """One drug with everything that its classes add to it."""

    drug: Drug
    tags: frozenset[str]
    effects: tuple[EffectWeight, ...]
    cautions: tuple[Caution, ...]


@dataclass(frozen=True, slots=True)
class EffectIndex:
    """One effect with the most points that a patient's state could add to it."""

    effect: Effect
    raising_points: float


@dataclass(frozen=True, slots=True)
class Index:
    """All drugs by id with their inheritance resolved, and curated records by the ids they name."""

    knowledge: Knowledge
    drugs: Mapping[str, DrugIndex]
    ancestors: Mapping[str, frozenset[str]]
    by_tag: Mapping[str, tuple[Interaction, ...]]
    members: Mapping[str, frozenset[str]]
    effects: Mapping[str, EffectIndex] = field(default_factory=dict)
    # Classes of which two members are a duplicate, with their place in the order from the most specific.
    duplicates: Mapping[str, tuple[int, DrugClass]] = field(default_factory=dict)
    lifetimes: tuple[DrugClass, ...] = ()
    # Drugs and classes of which a record tells what still acts on them after it was stopped.
    outlasted: frozenset[str] = frozenset()
    # Sources as shown, by the citations of a record and the drug it is about: made once for each, kept with the index.
    _cited: dict[tuple[tuple[Citation, ...], str], tuple[CitedSource, ...]] = field(
        default_factory=dict, compare=False, repr=False
    )

    def cite(self, citations: Iterable[Citation], drug: Drug | None = None) -> tuple[CitedSource, ...]:
        """Citations as sources to show, each once, in their order."""
        key = (tuple(citations), drug.id if drug else "")
        shown = self._cited.get(key)
        if shown is None:
            shown = self._cited[key] = self._cite(key[0], drug)
        return shown

    def _cite(self, citations: tuple[Citation, ...], drug: Drug | None) -> tuple[CitedSource, ...]:
        shown: dict[tuple[str, str], CitedSource] = {}
        for citation in citations:
            source = (drug.sources.get(citation.source) if drug else None) or self.knowledge.sources.get(
                citation.source
            )
            if source is None:
                item = CitedSource(
                    "unsourced", "No source is recorded for this statement", citation.locator, "", "unsourced"
                )
            else:
                item = CitedSource(source.id, source.title, citation.locator, source.url, source.status)
            shown.setdefault((item.id, item.locator), item)
        return tuple(shown.values())


def _ancestors(knowledge: Knowledge) -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}

    def of(name: str) -> frozenset[str]:
        if name not in found:
            found[name] = frozenset()
            item = knowledge.classes.get(name)
            parents = item.parents if item else ()
            found[name] = frozenset(parents).union(*(of(parent) for parent in parents))
        return found[name]

    for name in knowledge.classes:
        of(name)
    return found


def _tags(drug: Drug, ancestors: Mapping[str, frozenset[str]]) -> frozenset[str]:
    return frozenset({drug.id, *drug.classes}).union(*(ancestors.get(name, frozenset()) for name in drug.classes))


def _inherited_effects(drug: Drug, tags: frozenset[str], knowledge: Knowledge) -> tuple[EffectWeight, ...]:
    """The drug's own weights; for effects it says nothing of, the heaviest that a class of it gives."""
    own = {weight.effect for weight in drug.effects}
    inherited: dict[str, list[EffectWeight]] = {}
    for tag in sorted(tags & knowledge.classes.keys()):
        for weight in knowledge.classes[tag].effects:
            if weight.effect not in own:
                inherited.setdefault(weight.effect, []).append(weight)
    heaviest = [max(rows, key=lambda row: row.weight) for _, rows in sorted(inherited.items())]
    return (*drug.effects, *heaviest)


def _inherited_cautions(drug: Drug, tags: frozenset[str], knowledge: Knowledge) -> tuple[Caution, ...]:
    """The drug's own cautions, then those of its classes about circumstances it does not itself speak of."""
    spoken = {(caution.kind, caution.hazard, caution.when) for caution in drug.cautions}
    conditions = {(c.kind, condition) for c in drug.cautions for rule in c.when for condition in rule.condition}
    from_classes = []
    for tag in sorted(tags & knowledge.classes.keys()):
        for caution in knowledge.classes[tag].cautions:
            named = {(caution.kind, condition) for rule in caution.when for condition in rule.condition}
            if (caution.kind, caution.hazard, caution.when) not in spoken and not (named and named <= conditions):
                from_classes.append(caution)
    return (*drug.cautions, *from_classes)


def _duplicates(knowledge: Knowledge, ancestors: Mapping[str, frozenset[str]]) -> dict[str, tuple[int, DrugClass]]:
    names = (name for name, item in knowledge.classes.items() if item.duplicate_severity)
    ordered = sorted(names, key=lambda name: (-len(ancestors.get(name, ())), name))
    return {name: (place, knowledge.classes[name]) for place, name in enumerate(ordered)}


def _outlasted(records: Iterable[Interaction]) -> frozenset[str]:
    told = (r for r in records if r.washout_days is not None and r.severity >= Severity.MODERATE and len(r.needs) > 1)
    return frozenset(name for record in told for end in record.needs for name in end.ids)


def build_index(knowledge: Knowledge) -> Index:
    """Compile the knowledge; cost is paid once per load."""
    ancestors = _ancestors(knowledge)
    drugs: dict[str, DrugIndex] = {}
    members: dict[str, set[str]] = {}
    for drug in knowledge.drugs.values():
        tags = _tags(drug, ancestors)
        effects, cautions = _inherited_effects(drug, tags, knowledge), _inherited_cautions(drug, tags, knowledge)
        drugs[drug.id] = DrugIndex(drug, tags, effects, cautions)
        for tag in tags:
            members.setdefault(tag, set()).add(drug.id)
    by_tag: dict[str, list[Interaction]] = {}
    for record in knowledge.interactions.values():
        for tag in sorted({name for end in record.needs for name in end.ids}):
            by_tag.setdefault(tag, []).append(record)
    return Index(
        knowledge,
        drugs,
        ancestors,
        {tag: tuple(rows) for tag, rows in by_tag.items()},
        {tag: frozenset(ids) for tag, ids in members.items()},
        {e.id: EffectIndex(e, sum(m.points for m in e.modifiers if m.points > 0)) for e in knowledge.effects.values()},
        _duplicates(knowledge, ancestors),
        tuple(item for _, item in sorted(knowledge.classes.items()) if item.lifetime_limits),
        _outlasted(knowledge.interactions.values()),
    )


__all__ = ["DrugIndex", "Facts", "Index", "build_index"]

"""The engine: one version of the knowledge, compiled once and shared by all requests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from medsafe.context.conditions import ConditionIndex, build_condition_index
from medsafe.context.context import OrderableTest, PatientPolicy, Policy, Rising, Unstated
from medsafe.graph.index import Index, build_index
from medsafe.identity.names import NameIndex
from medsafe.identity.spelling import names_like
from medsafe.identity.strengths import oral_strengths
from medsafe.identity.text import normalise_name
from medsafe.model.drugs import Strength
from medsafe.model.knowledge import Knowledge
from medsafe.model.statements import Severity


@dataclass(frozen=True, slots=True)
class Engine:
    """Everything that a review needs besides the case."""

    knowledge: Knowledge
    index: Index
    names: NameIndex
    conditions: ConditionIndex
    policy: Policy
    symptom_names: Mapping[str, str]
    allergy_names: Mapping[str, str]
    allergens: Mapping[str, str]
    # Strengths on the market, for drugs whose record lists none.
    product_strengths: Mapping[str, tuple[Strength, ...]] = field(default_factory=dict)
    # Facts of genotypes that some record or pathway asks for.
    genotypes: frozenset[str] = frozenset()

    def symptom_id(self, name: str) -> str | None:
        """The id of a symptom by its name or a synonym."""
        return self.symptom_names.get(normalise_name(name))

    def symptoms_like(self, name: str, limit: int = 3) -> tuple[tuple[str, float], ...]:
        """Symptoms whose names look like this one, best first: to be offered, never to be taken."""
        best: dict[str, float] = {}
        for written, score in names_like(normalise_name(name), self.symptom_names):
            key = self.symptom_names[written]
            best[key] = max(best.get(key, 0.0), score)
        return tuple(sorted(best.items(), key=lambda item: (-item[1], item[0]))[:limit])


def _rows(table: Mapping[str, Any]) -> dict[str, tuple[tuple[float, Severity], ...]]:
    return {
        margin: tuple((float(bound), Severity[word.upper()]) for bound, word in rows) for margin, rows in table.items()
    }


def _patient(table: Mapping[str, Any]) -> PatientPolicy:
    return PatientPolicy(**{key: _read(value) for key, value in table.items()})


def _read(value: Any) -> Any:
    """A list of ids as a set, a pair of bounds as a pair, all else as it stands."""
    if not isinstance(value, list):
        return value
    return frozenset(value) if all(isinstance(v, str) for v in value) else tuple(float(v) for v in value)


def read_policy(raw: Mapping[str, Any]) -> Policy:
    """Policy from its file; every part must be there."""
    interruption, entry = raw["interruption"], raw["order_entry"]
    return Policy(
        patient=_patient(raw["patient"]),
        exposure_increase=_rows(raw["exposure_increase"]),
        exposure_decrease=_rows(raw["exposure_decrease"]),
        dose_excess=tuple((float(bound), int(step)) for bound, step in raw["dose_excess"]["steps"]),
        slip_from_ratio=float(raw["dose_excess"]["slip_from"]),
        interrupt_from=Severity[interruption["from"].upper()],
        interrupt_at_comfort_from=Severity[interruption["at_comfort_from"].upper()],
        acute_hazards=frozenset(interruption["acute"]),
        switched_off=tuple(raw["tailoring"]["switched_off"]),
        opioid=raw["opioid"],
        default_opioid_table=raw["opioid"]["default_table"],
        smoking_substance=raw["smoking"]["substance"],
        inr_unreliable_with=frozenset(raw["hepatic"]["inr_unreliable_with"]),
        no_oral_with=frozenset(raw["suggestions"]["no_oral_with"]),
        doses_from_age_years=float(raw["suggestions"]["doses_from_age_years"]),
        infusion_step=float(raw["suggestions"]["infusion_step"]),
        most_raise=float(raw["suggestions"]["most_raise"]),
        least_raise=float(raw["suggestions"]["least_raise"]),
        watched_for_offsets=float(raw["time_course"]["watched_for_offsets"]),
        told_from_auc_ratio=float(raw["exposure_by_organ"]["told_from_auc_ratio"]),
        priorities=tuple(raw["suggestions"]["priority"]),
        intents=tuple(raw["suggestions"]["intent"]),
        organ_conditions={hazard: frozenset(ids) for hazard, ids in raw["organ_conditions"].items()},
        dialysis_unstated={
            modality: Unstated(Severity[row["at_least"].upper()], row["text"])
            for modality, row in raw["dialysis_unstated"].items()
        },
        dialysis_words=raw["dialysis_words"],
        rising={
            stage: Rising(Severity[row["at_most"].upper()], row.get("clearance_ml_min"))
            for stage, row in raw["rising_creatinine"].items()
        },
        tolerated_kinds=frozenset(interruption["tolerated_kinds"]),
        tolerated_when_stable=frozenset(interruption["tolerated_when_stable"]),
        tolerated_diseases=frozenset(interruption["tolerated_diseases"]),
        not_tolerated=frozenset(interruption["not_tolerated"]),
        tolerated_days=float(interruption["tolerated_days"]),
        most_cards=int(entry["most_cards"]),
        most_quiet_cards=int(entry["most_quiet_cards"]),
        standing_interrupts=frozenset(entry["standing_interrupts"]),
        only_for_own_kind=frozenset(entry["only_for_own_kind"]),
        override_reasons=tuple((row["code"], row["display"]) for row in entry["override_reasons"]),
        tests={row["field"]: OrderableTest(row["name"], row["loinc"], row["display"]) for row in entry["tests"]},
    )


def _names(items: Iterable[tuple[str, Iterable[str]]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, names in items:
        for name in (key.replace("-", " "), *names):
            found.setdefault(normalise_name(name), key)
    return found


def _genotypes_asked(index: Index) -> frozenset[str]:
    cautions = (caution for entry in index.drugs.values() for caution in entry.cautions)
    facts = {criterion.fact for caution in cautions for criterion in caution.when if criterion.fact}
    genes = {f"genotype.{p.gene.lower()}" for p in index.knowledge.pathways.values() if p.gene}
    return frozenset(fact for fact in facts | genes if fact.startswith("genotype."))


def build_engine(knowledge: Knowledge, names: NameIndex) -> Engine:
    """Compile one version of the knowledge."""
    index = build_index(knowledge)
    return Engine(
        knowledge,
        index,
        names,
        build_condition_index(knowledge.conditions, knowledge.wording.negation),
        read_policy(knowledge.policy),
        _names((key, (s.name, *s.synonyms)) for key, s in knowledge.symptoms.items()),
        _names((key, (c.name, *c.synonyms)) for key, c in knowledge.classes.items()),
        _names((key, a.synonyms) for key, a in knowledge.wording.allergens.items()),
        oral_strengths(names.products()),
        _genotypes_asked(index),
    )

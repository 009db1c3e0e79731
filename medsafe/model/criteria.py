"""Criteria: the small language in which data says *when* something applies.

A criterion is judged against the facts of one case and answers yes, no or unknown. Unknown names the facts
that were missing, so that a missing value can be told and never reads as normal.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cache

FactValue = float | str


class Truth(Enum):
    """Three-valued answer of a criterion."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one case, in canonical units, ready to be asked.

    The list of conditions that a caller gives is taken as the problem list; `unseen` are those not on it that a missing
    value would show, with the facts that are missing. `symptoms_stated` is False where nobody said anything of symptoms.
    `possible` are the conditions that are present or unseen: whatever asks for another one does not hold.
    """

    values: Mapping[str, FactValue]
    conditions: frozenset[str]
    medicines: frozenset[str]
    symptoms: Mapping[str, float | None] = field(default_factory=dict)
    unseen: Mapping[str, frozenset[str]] = field(default_factory=dict)
    symptoms_stated: bool = True
    possible: frozenset[str] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "possible", self.conditions.union(self.unseen))


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer of one or several criteria, with the facts that were missing.

    `unseen` are facts that were not asked for themselves: their absence hides a condition or a symptom that was.
    """

    truth: Truth
    missing: frozenset[str] = frozenset()
    unseen: frozenset[str] = frozenset()


YES = Verdict(Truth.YES)
NO = Verdict(Truth.NO)
NOTHING: frozenset[str] = frozenset()
# Name, among missing facts, of the symptoms as a whole.
SYMPTOMS = frozenset({"symptoms"})


@cache
def _unknown(fact: str) -> Verdict:
    """Facts are named by the data, so there are few of them and each verdict is made once."""
    return Verdict(Truth.UNKNOWN, frozenset({fact}))


@dataclass(frozen=True, slots=True)
class Criterion:
    """One test on the facts of a case; every part that is given must hold.

    Attributes
    ----------
    fact: name of a fact with its unit, compared with the bounds or with `is_`.
    condition / no_condition: condition ids, any of which is present / none of which is present.
    medicine / no_medicine: drug or class ids, any of which is taken systemically / none of which is.
    symptom: symptom id, present with a score of at least `symptom_at_least` (or present at all).
    """

    fact: str | None = None
    below: float | None = None
    at_most: float | None = None
    above: float | None = None
    at_least: float | None = None
    is_: frozenset[str] = frozenset()
    condition: frozenset[str] = frozenset()
    no_condition: frozenset[str] = frozenset()
    medicine: frozenset[str] = frozenset()
    no_medicine: frozenset[str] = frozenset()
    symptom: str | None = None
    symptom_at_least: float | None = None

    def judge(self, facts: Facts) -> Verdict:
        """Judge this criterion: NO beats UNKNOWN, UNKNOWN beats YES."""
        if self.condition and self.condition.isdisjoint(facts.possible):
            return NO
        unseen = NOTHING
        if self.condition and self.condition.isdisjoint(facts.conditions):
            unseen = self._unseen(facts)
            if not unseen:
                return NO
        if self.no_condition and not self.no_condition.isdisjoint(facts.conditions):
            return NO
        if self.medicine and self.medicine.isdisjoint(facts.medicines):
            return NO
        if self.no_medicine and not self.no_medicine.isdisjoint(facts.medicines):
            return NO
        if self.symptom is not None and not self._symptom_holds(facts):
            if facts.symptoms_stated:
                return NO
            unseen |= SYMPTOMS
        verdict = self._judge_fact(facts) if self.fact is not None else YES
        return Verdict(Truth.UNKNOWN, verdict.missing, unseen) if unseen and verdict is not NO else verdict

    def _unseen(self, facts: Facts) -> frozenset[str]:
        """The missing facts that would show one of the conditions asked for."""
        return NOTHING.union(*(facts.unseen[key] for key in self.condition if key in facts.unseen))

    def _symptom_holds(self, facts: Facts) -> bool:
        if self.symptom is None or self.symptom not in facts.symptoms:
            return False
        if self.symptom_at_least is None:
            return True
        score = facts.symptoms[self.symptom]
        return score is not None and score >= self.symptom_at_least

    def _judge_fact(self, facts: Facts) -> Verdict:
        assert self.fact is not None
        value = facts.values.get(self.fact)
        if value is None:
            return _unknown(self.fact)
        if isinstance(value, str):
            return YES if value in self.is_ else NO
        return YES if self._within(value) else NO

    def _within(self, value: float) -> bool:
        return (
            (self.below is None or value < self.below)
            and (self.at_most is None or value <= self.at_most)
            and (self.above is None or value > self.above)
            and (self.at_least is None or value >= self.at_least)
        )


def both(one: Verdict, other: Verdict) -> Verdict:
    """What is missing for either of two that are not known."""
    return Verdict(Truth.UNKNOWN, one.missing | other.missing, one.unseen | other.unseen)


def judge_all(criteria: Iterable[Criterion], facts: Facts) -> Verdict:
    """All criteria must hold: NO if any is no, else UNKNOWN with every missing fact, else YES."""
    unknown = YES
    for criterion in criteria:
        verdict = criterion.judge(facts)
        if verdict is NO:
            return NO
        if verdict is not YES:
            unknown = verdict if unknown is YES else both(unknown, verdict)
    return unknown

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

    `conditions` is None when nothing at all was said about conditions: absence of a statement is not a statement of
    absence, but the list given by a caller is taken as the problem list.
    """

    values: Mapping[str, FactValue]
    conditions: frozenset[str]
    medicines: frozenset[str]
    symptoms: Mapping[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer of one or several criteria, with the facts that were missing."""

    truth: Truth
    missing: frozenset[str] = frozenset()


YES = Verdict(Truth.YES)
NO = Verdict(Truth.NO)


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
        if self.condition and self.condition.isdisjoint(facts.conditions):
            return NO
        if self.no_condition and not self.no_condition.isdisjoint(facts.conditions):
            return NO
        if self.medicine and self.medicine.isdisjoint(facts.medicines):
            return NO
        if self.no_medicine and not self.no_medicine.isdisjoint(facts.medicines):
            return NO
        if self.symptom is not None and not self._symptom_holds(facts):
            return NO
        return self._judge_fact(facts) if self.fact is not None else YES

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


def judge_all(criteria: Iterable[Criterion], facts: Facts) -> Verdict:
    """All criteria must hold: NO if any is no, else UNKNOWN with every missing fact, else YES."""
    unknown = YES
    for criterion in criteria:
        verdict = criterion.judge(facts)
        if verdict is NO:
            return NO
        if verdict is not YES:
            unknown = verdict if unknown is YES else Verdict(Truth.UNKNOWN, unknown.missing | verdict.missing)
    return unknown

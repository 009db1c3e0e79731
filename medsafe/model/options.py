"""What can be done about a symptom, as loaded from `formulary/symptoms/` and `interaction_data/steps.toml`."""

from __future__ import annotations

from dataclasses import dataclass

from medsafe.model.criteria import Criterion
from medsafe.model.statements import Citation


@dataclass(frozen=True, slots=True)
class OrderTemplate:
    """A dose that can be offered, for patients in whom `when` holds."""

    dose: float
    unit: str
    route: str
    times_per_day: float | None = None
    interval_h: float | None = None
    form: str = ""
    prn: bool = False
    max_times_per_day: float | None = None
    when: tuple[Criterion, ...] = ()


@dataclass(frozen=True, slots=True)
class Preference:
    """A circumstance in which an option is worth more or less."""

    when: tuple[Criterion, ...]
    points: float
    because: str


@dataclass(frozen=True, slots=True)
class Exclusion:
    """A circumstance in which an option must not be offered."""

    when: tuple[Criterion, ...]
    because: str


@dataclass(frozen=True, slots=True)
class Option:
    """One thing that could be done about a symptom.

    A step that is worked out from a patient's doses is one whose words in braces are filled in first.
    `accepts` names hazards that are the price of the option (sedation in a crisis): told as cautions, they do not rule it out.
    `titrates`: where the drug is already taken below `max_daily_dose`, a step up is offered.
    """

    id: str
    action: str
    label: str
    rationale: str
    benefit: float
    burden: float = 0.0
    opioid_sparing: float = 0.0
    drug: str | None = None
    orders: tuple[OrderTemplate, ...] = ()
    max_daily_dose: float | None = None
    titration: str = ""
    review_after: str = ""
    evidence: str = ""
    cause: str = ""
    when: tuple[Criterion, ...] = ()
    preferences: tuple[Preference, ...] = ()
    exclusions: tuple[Exclusion, ...] = ()
    accepts: frozenset[str] = frozenset()
    titrates: bool = False
    sources: tuple[Citation, ...] = ()


@dataclass(frozen=True, slots=True)
class Symptom:
    """A symptom, the kinds of help there are for it, and whether opioids are weighed for it.

    `shows`: conditions that the symptom is itself, so that rules about them hold where only the symptom was reported.
    `caused_by`: hazards of medicines that it may be the sign of; `excess_of`: such as show in it where too much is taken. `kin_is_for_it`: what is
    taken of the kinds that are offered is taken for this symptom, and for hardly anything else.
    """

    id: str
    name: str
    synonyms: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()
    opioid_responsive: str = "no"
    shows: tuple[str, ...] = ()
    options: tuple[Option, ...] = ()
    assess: tuple[str, ...] = ()
    caused_by: frozenset[str] = frozenset()
    excess_of: frozenset[str] = frozenset()
    kin_is_for_it: bool = False

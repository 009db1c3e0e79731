"""One case as it came in: a patient, a regimen, what is being ordered, and what the patient wants.

Values are as given (with their units and dates); judging them is the work of the rooms above.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True, slots=True)
class Measurement:
    """A quantity as reported: value, unit (None when none was given), date, and the laboratory's upper limit."""

    value: float
    unit: str | None = None
    taken_on: date | None = None
    upper_limit: float | None = None


@dataclass(frozen=True, slots=True)
class AllergyRecord:
    """A recorded allergy or intolerance."""

    substance: str
    reaction: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Smoking:
    """Smoking status: current, stopped, never; with the days since stopping."""

    status: str
    days_ago: float | None = None


@dataclass(frozen=True, slots=True)
class CodedCondition:
    """A condition as text, or as a code of a system; `since` is the day it began or was written down."""

    text: str
    system: str = ""
    code: str = ""
    since: date | None = None


@dataclass(frozen=True, slots=True)
class PatientData:
    """The patient as given. `labs` maps analyte ids to measurements, `vitals` bare numbers by name."""

    sex: str | None = None
    labs: Mapping[str, Measurement] = field(default_factory=dict)
    vitals: Mapping[str, float] = field(default_factory=dict)
    dialysis: str | None = None
    ascites: str | None = None
    encephalopathy: str | None = None
    sedation: str | None = None
    conditions: tuple[CodedCondition, ...] | None = None
    allergies: tuple[AllergyRecord, ...] | None = None
    genotypes: Mapping[str, str] = field(default_factory=dict)
    smoking: Smoking | None = None


@dataclass(frozen=True, slots=True)
class DrugRef:
    """How an order names its drug: by name, by code, or as a product with its components and strength."""

    name: str = ""
    system: str = ""
    code: str = ""
    components: tuple[str, ...] = ()
    strength: str = ""

    @property
    def shown(self) -> str:
        return self.name or f"{self.system}|{self.code}"


@dataclass(frozen=True, slots=True)
class Order:
    """One line of a regimen, a new order, or a medicine stopped lately."""

    ref: str
    drug: DrugRef
    dose: float | None = None
    unit: str | None = None
    route: str | None = None
    form: str = ""
    times_per_day: float | None = None
    interval_h: float | None = None
    prn: bool = False
    max_times_per_day: float | None = None
    doses_last_24h: float | None = None
    started_on: date | None = None
    indication: str = ""
    phase: str = ""
    replaces: str | None = None
    days_ago: float | None = None
    taken_for_days: float | None = None

    @property
    def is_new(self) -> bool:
        return self.ref.startswith("new_orders.")


@dataclass(frozen=True, slots=True)
class Goals:
    """What care is for: comfort, disease-directed or mixed; prognosis; what matters to the patient."""

    intent: str | None = None
    documented: bool = False
    prognosis: str | None = None
    priorities: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SymptomReport:
    """A symptom as named, with its score from 0 to 10."""

    name: str
    score: float | None = None


@dataclass(frozen=True, slots=True)
class TriedBefore:
    """A drug tried earlier and what came of it: helped, no-effect or not-tolerated."""

    drug: DrugRef
    outcome: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """Everything asked about one patient at one moment.

    `unstated` names the lists of the request that were left out, the days on which medicines were stopped that are not
    known and taken as today, and `prn` of orders that may be as needed: nothing said is not the same as none.
    """

    as_of: date | None = None
    patient: PatientData = PatientData()
    goals: Goals = Goals()
    symptoms: tuple[SymptomReport, ...] = ()
    regimen: tuple[Order, ...] = ()
    new_orders: tuple[Order, ...] = ()
    recently_stopped: tuple[Order, ...] = ()
    history: tuple[TriedBefore, ...] = ()
    opioid_table: str | None = None
    unstated: frozenset[str] = frozenset()

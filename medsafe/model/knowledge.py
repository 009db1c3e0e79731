"""All that is known, as loaded from `formulary/` and `interaction_data/`: how drugs meet, and what brings it together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from medsafe.model.criteria import Criterion
from medsafe.model.drugs import Drug, DrugClass, Record
from medsafe.model.options import Option, Symptom
from medsafe.model.statements import ANY_ORDER, Citation, Guidance, Modifier, Scope, Severity, Source
from medsafe.model.wording import Wording


@dataclass(frozen=True, slots=True)
class Pathway:
    """An enzyme, transporter or condition of absorption through which drugs affect each other."""

    id: str
    name: str
    kind: str
    turnover_half_life_h: float | None = None
    hazard_decrease: str = "exposure-decrease"
    default_inhibition: Mapping[str, float] = field(default_factory=dict)
    default_induction: Mapping[str, float] = field(default_factory=dict)
    gene: str = ""
    genotype_activity: Mapping[str, float] = field(default_factory=dict)
    sources: tuple[Citation, ...] = ()


@dataclass(frozen=True, slots=True)
class Threshold:
    """From which score on, and with how many contributing drugs, a burden has a severity."""

    score: float
    severity: Severity
    min_drugs: int = 2
    min_heaviest: float = 0.0


@dataclass(frozen=True, slots=True)
class ContributorAdvice:
    """What to do about one of these drugs or classes, where it is among the contributors."""

    ids: frozenset[str]
    text: str


@dataclass(frozen=True, slots=True)
class Effect:
    """A harm to which several drugs and the patient's own state add up.

    `advice` is told for the contributors that it names, before the management that holds for all.
    """

    id: str
    name: str
    hazard: str
    combine: str
    thresholds: tuple[Threshold, ...]
    guidance: Guidance
    modifiers: tuple[Modifier, ...] = ()
    min_weight: float = 0.5
    count_at_most: Mapping[str, int] = field(default_factory=dict)
    advice: tuple[ContributorAdvice, ...] = ()
    soften_at_end_of_life: bool = False


@dataclass(frozen=True, slots=True)
class PairEnd:
    """One side of a curated pair: drugs or classes, and which of their orders are meant."""

    ids: frozenset[str]
    excluding: frozenset[str] = frozenset()
    scope: Scope = ANY_ORDER


@dataclass(frozen=True, slots=True)
class Interaction:
    """A curated record: two sides (a pair) or more (a pattern), with what must be absent and when it applies."""

    id: str
    kind: str
    hazard: str
    severity: Severity
    needs: tuple[PairEnd, ...]
    guidance: Guidance
    absent: frozenset[str] = frozenset()
    when: tuple[Criterion, ...] = ()
    modifiers: tuple[Modifier, ...] = ()
    absorbs: frozenset[str] = frozenset()
    overrides: frozenset[str] = frozenset()
    washout_days: float | None = None
    soften_at_end_of_life: bool = False
    record: Record | None = None


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition as the data speaks of it: names, codes, and broader conditions it implies."""

    id: str
    name: str
    synonyms: tuple[str, ...] = ()
    icd10: tuple[str, ...] = ()
    snomed: tuple[str, ...] = ()
    implies: tuple[str, ...] = ()
    derived_from: tuple[Criterion, ...] = ()
    passing_days: int | None = None  # how long an entry without an end speaks of the present


@dataclass(frozen=True, slots=True)
class ConversionRow:
    """One row of an opioid conversion table: factor to oral morphine mg, or a band of a one-way table."""

    table: str
    opioid: str
    route: str
    unit: str
    direction: str
    meaning: str
    factor: float
    band_from: float | None
    band_below: float | None
    source: str
    note: str


@dataclass(frozen=True, slots=True)
class ExposureRow:
    """Exposure in one state of an organ, as a ratio to normal function, from a study; no label stands behind it.

    `from_` and `below` bound the clearance, mL/min, of a renal row; `child_pugh` is the class of a hepatic one.
    """

    drug: str
    organ: str
    child_pugh: str
    from_: float | None
    below: float | None
    auc_ratio: float
    basis: str
    reference: str
    source: str


@dataclass(frozen=True, slots=True)
class StoppingRule:
    """What stopping a medicine at once, or cutting it sharply, does; its guidance says how it is stopped instead.

    `after_days`: it matters when it was taken regularly for so long. `within_days`: for how long after the last dose harm
    may still come. `sharp_cut`: share of the daily dose that is too much to take off at once, None where only a stop harms.
    `covered_by`: classes of which another member goes on doing what the stopped one did. `never_at_once`: even where it does
    not suit the patient it is weighed again and lowered.
    """

    id: str
    end: PairEnd
    severity: Severity
    guidance: Guidance
    after_days: float
    within_days: float
    sharp_cut: float | None = None
    covered_by: frozenset[str] = frozenset()
    never_at_once: bool = False
    modifiers: tuple[Modifier, ...] = ()


@dataclass(frozen=True, slots=True)
class OpioidRule:
    """The words and the severity of one rule of opioid safety; its numbers stand in the policy."""

    id: str
    hazard: str
    severity: Severity
    guidance: Guidance


@dataclass(frozen=True, slots=True)
class Knowledge:
    """All that the service knows, in one version."""

    version: str
    digest: str
    released_on: date
    drugs: Mapping[str, Drug]
    classes: Mapping[str, DrugClass]
    pathways: Mapping[str, Pathway]
    effects: Mapping[str, Effect]
    interactions: Mapping[str, Interaction]
    conditions: Mapping[str, Condition]
    symptoms: Mapping[str, Symptom]
    conversion: tuple[ConversionRow, ...]
    sources: Mapping[str, Source]
    policy: Mapping[str, object]
    opioid_rules: Mapping[str, OpioidRule] = field(default_factory=dict)
    stopping: Mapping[str, StoppingRule] = field(default_factory=dict)
    steps: Mapping[str, Option] = field(default_factory=dict)
    advice: Mapping[str, Guidance] = field(default_factory=dict)
    wording: Wording = field(default_factory=Wording)
    organ_exposure: Mapping[str, tuple[ExposureRow, ...]] = field(default_factory=dict)

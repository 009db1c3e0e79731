"""What we know of drugs and of their interactions, as loaded from `formulary/` and `interaction_data/`.

Frozen, fully resolved records. This room knows kinds of statements (a renal band, an effect with a weight, a curated
pair); which drug and which number is data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import IntEnum
from types import MappingProxyType

from medsafe.model.criteria import Criterion
from medsafe.model.wording import Wording

EMPTY: Mapping[str, str] = MappingProxyType({})


class Severity(IntEnum):
    """How serious a finding is; ordered, so that severities can be compared and stepped."""

    NONE = 0
    LOW = 1
    MODERATE = 2
    HIGH = 3
    CRITICAL = 4

    @property
    def label(self) -> str:
        return self.name.lower()

    def step(self, by: int) -> Severity:
        """Move by whole steps, staying within low and critical.

        >>> Severity.MODERATE.step(1).label
        'high'
        """
        return Severity(max(Severity.LOW, min(Severity.CRITICAL, self + by)))


@dataclass(frozen=True, slots=True)
class Source:
    """Where a statement comes from. `status` tells an opened source from one recalled from memory."""

    id: str
    title: str
    status: str
    url: str = ""
    edition: str = ""
    opened_on: date | None = None


@dataclass(frozen=True, slots=True)
class Citation:
    """A source and the place in it that supports a value (`<source-id>#<section>` in the data)."""

    source: str
    locator: str = ""


@dataclass(frozen=True, slots=True)
class Scope:
    """Which orders of a drug a statement is about. Empty parts do not restrict.

    Doses are daily totals in the drug's `dose_unit`. An order whose daily dose is not known is taken to be in scope
    of a lower bound: the cautious reading.
    """

    routes: frozenset[str] = frozenset()
    forms: frozenset[str] = frozenset()
    daily_dose_at_least: float | None = None
    daily_dose_below: float | None = None
    single_dose_only: bool = False
    regular_only: bool = False
    occasional_only: bool = False


ANY_ORDER = Scope()


@dataclass(frozen=True, slots=True)
class Substrate:
    """A way a drug leaves the body, is taken up, or is activated.

    `share` is the contribution ratio: the share of oral clearance (or of absorption, or of activation) that runs
    through the pathway; `share_parenteral` replaces it where the gut is bypassed.
    `at_strength` gives a severity for a perpetrator of a named strength where the label says so. `advice` is given whatever
    acts on the pathway, `advice_inhibited` and `advice_induced` only where an inhibitor or an inducer does.
    """

    pathway: str
    share: float
    share_parenteral: float | None = None
    activation: bool = False
    at_strength: Mapping[str, Severity] = field(default_factory=dict)
    advice: tuple[str, ...] = ()
    advice_inhibited: tuple[str, ...] = ()
    advice_induced: tuple[str, ...] = ()
    scope: Scope = ANY_ORDER
    sources: tuple[Citation, ...] = ()


@dataclass(frozen=True, slots=True)
class Modulator:
    """A drug inhibits or induces a pathway; `ratio` is the inhibition ratio (0–1) or the induction ratio (>0)."""

    pathway: str
    induces: bool
    strength: str
    ratio: float
    ratio_hepatic: float | None = None
    onset_days: float | None = None
    offset_days: float | None = None
    scope: Scope = ANY_ORDER
    sources: tuple[Citation, ...] = ()


@dataclass(frozen=True, slots=True)
class EffectWeight:
    """How much a drug adds to an effect, on a scale of 0.5 (slight) to 3 (strong)."""

    effect: str
    weight: float
    scope: Scope = ANY_ORDER
    note: str = ""
    sources: tuple[Citation, ...] = ()


@dataclass(frozen=True, slots=True)
class Band:
    """What to do with the dose when an estimate lies in [from, below), or on a dialysis modality.

    Of a dialysis: `removed` says whether it takes the drug away (yes, no, partly, unknown), `timing` when to give it
    (after-session, supplement: one more dose after the session, any); both "" where the source does not say.
    """

    action: str
    from_: float = 0.0
    below: float | None = None
    severity: Severity | None = None
    max_daily_dose: float | None = None
    max_single_dose: float | None = None
    min_interval_h: float | None = None
    dose_factor: float | None = None
    advice: str = ""
    scope: Scope = ANY_ORDER
    sources: tuple[Citation, ...] = ()
    removed: str = ""
    timing: str = ""

    def holds(self, value: float) -> bool:
        """Whether an estimate lies in the band."""
        return self.from_ <= value and (self.below is None or value < self.below)


@dataclass(frozen=True, slots=True)
class RenalRule:
    """Bands of one named estimate, and what each dialysis modality asks for."""

    estimate: str
    bands: tuple[Band, ...]
    dialysis: Mapping[str, Band] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DoseLimit:
    """The most of a drug that may be given in one dose, in a day, in all (cumulative), or in one order's frequency.

    `per_kg` and `per_m2` multiply `max` by weight (kg) and by body surface (m², Mosteller).
    """

    kind: str
    max: float
    per_kg: bool = False
    per_m2: bool = False
    when: tuple[Criterion, ...] = ()
    scope: Scope = ANY_ORDER
    indications: frozenset[str] = frozenset()
    severity: Severity = Severity.HIGH
    advice: str = ""
    sources: tuple[Citation, ...] = ()


@dataclass(frozen=True, slots=True)
class RouteRule:
    """A route or dose form by which a drug must not, or only with care, be given.

    `except_names` are names of products of the drug that the rule is not about, such as a prodrug made for the route.
    """

    routes: frozenset[str]
    forms: frozenset[str]
    severity: Severity
    text: str
    management: tuple[str, ...] = ()
    sources: tuple[Citation, ...] = ()
    except_names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Caution:
    """A drug meets a condition, a laboratory value, an age, a pregnancy, a genotype, a goal of care."""

    kind: str
    hazard: str
    severity: Severity
    when: tuple[Criterion, ...]
    text: str
    management: tuple[str, ...] = ()
    monitoring: tuple[str, ...] = ()
    scope: Scope = ANY_ORDER
    sources: tuple[Citation, ...] = ()


@dataclass(frozen=True, slots=True)
class Monitoring:
    """What to watch while the drug is taken."""

    what: str
    when: str
    sources: tuple[Citation, ...] = ()


@dataclass(frozen=True, slots=True)
class OpioidFacts:
    """How a drug acts on opioid receptors, and which of its forms are long-acting."""

    action: str
    strong: bool = False
    long_acting_forms: frozenset[str] = frozenset()
    tolerant_only_forms: frozenset[str] = frozenset()
    tolerant_only_routes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Strength:
    """A strength that can be dispensed, to round an offered dose to."""

    route: str
    form: str
    values: tuple[float, ...]
    unit: str


@dataclass(frozen=True, slots=True)
class Record:
    """Who-and-when of a record. `clinical_sign_off` stays empty until a licensed pharmacist gives it."""

    written_on: date
    review_due_on: date
    second_read_on: date | None = None
    clinical_sign_off: str = ""
    disagreements: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Drug:
    """Everything known about one ingredient."""

    id: str
    name: str
    record: Record
    synonyms: tuple[str, ...] = ()
    brands: tuple[str, ...] = ()
    codes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    classes: tuple[str, ...] = ()
    summary: str = ""
    plain_language: str = ""
    dose_unit: str = "mg"
    systemic_routes: frozenset[str] = frozenset()
    local_routes: frozenset[str] = frozenset()
    toxicity_margin: str = "usual"
    efficacy_margin: str = "usual"
    half_life_h: float | None = None
    washout_days: float | None = None
    active_metabolites: tuple[str, ...] = ()
    kinetics_sources: tuple[Citation, ...] = ()
    substrate_of: tuple[Substrate, ...] = ()
    modulates: tuple[Modulator, ...] = ()
    effects: tuple[EffectWeight, ...] = ()
    renal: RenalRule | None = None
    hepatic: Mapping[str, Band] = field(default_factory=dict)
    dose_limits: tuple[DoseLimit, ...] = ()
    route_rules: tuple[RouteRule, ...] = ()
    cautions: tuple[Caution, ...] = ()
    monitoring: tuple[Monitoring, ...] = ()
    opioid: OpioidFacts | None = None
    strengths: tuple[Strength, ...] = ()
    coverage: Mapping[str, str] = field(default_factory=dict)
    sources: Mapping[str, Source] = field(default_factory=dict)
    kind: str = "drug"


@dataclass(frozen=True, slots=True)
class Allergy:
    """What a recorded allergy to a member of a class means for its other members and for related classes."""

    severity: Severity
    text: str
    cross_reacts: tuple[tuple[str, Severity, str], ...] = ()


@dataclass(frozen=True, slots=True)
class LifetimeLimit:
    """The most that the members of a class may be given together in a lifetime.

    `equivalents` says for each member what 1 of its dose unit counts as, in `unit` of the `reference` drug; `max` is in
    that unit, times the body surface (m², Mosteller) where `per_m2`.
    """

    max: float
    unit: str
    reference: str
    equivalents: Mapping[str, float]
    harm: str
    advice: str
    per_m2: bool = False
    severity: Severity = Severity.HIGH
    sources: tuple[Citation, ...] = ()


@dataclass(frozen=True, slots=True)
class DrugClass:
    """A class of drugs: its parents, and what is true of every member unless the member says otherwise."""

    id: str
    name: str
    parents: tuple[str, ...] = ()
    synonyms: tuple[str, ...] = ()
    effects: tuple[EffectWeight, ...] = ()
    cautions: tuple[Caution, ...] = ()
    allergy: Allergy | None = None
    duplicate_severity: Severity | None = None
    duplicate_text: str = ""
    lifetime_limits: tuple[LifetimeLimit, ...] = ()
    sources: tuple[Citation, ...] = ()


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
class Modifier:
    """A circumstance that raises or lowers a finding: by points (burdens), by steps, or to a fixed severity."""

    when: tuple[Criterion, ...]
    text: str
    points: float = 0.0
    step: int = 0
    severity: Severity | None = None
    sources: tuple[Citation, ...] = ()


@dataclass(frozen=True, slots=True)
class Guidance:
    """The words of a finding."""

    summary: str
    consequence: str = ""
    mechanism: str = ""
    management: tuple[str, ...] = ()
    monitoring: tuple[str, ...] = ()
    evidence: str = ""
    sources: tuple[Citation, ...] = ()


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
    count_once: frozenset[str] = frozenset()
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
    """

    id: str
    name: str
    synonyms: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()
    opioid_responsive: str = "no"
    shows: tuple[str, ...] = ()
    options: tuple[Option, ...] = ()
    assess: tuple[str, ...] = ()


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
class Step:
    """The words and the weight of a step that is worked out from this patient's doses; words in braces are filled in."""

    id: str
    action: str
    label: str
    rationale: str
    benefit: float
    burden: float = 0.0
    titration: str = ""
    review_after: str = ""
    sources: tuple[Citation, ...] = ()


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
    steps: Mapping[str, Step] = field(default_factory=dict)
    advice: Mapping[str, Guidance] = field(default_factory=dict)
    wording: Wording = field(default_factory=Wording)
    organ_exposure: Mapping[str, tuple[ExposureRow, ...]] = field(default_factory=dict)

"""What the record of a drug, or of a class of drugs, states: kinetics, effects, doses, organs, cautions.

Frozen, fully resolved records. This room knows kinds of statements (a renal band, an effect with a weight); which drug
and which number is data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType

from medsafe.model.criteria import Criterion
from medsafe.model.statements import ANY_ORDER, Citation, Scope, Severity, Source

EMPTY: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class DoseBeside:
    """The most of a drug in a day (in its dose unit) that its label allows beside what acts on one of its pathways.

    `at` are the strengths it is about (strong-inhibitor …), `beside` the drugs where the label names some; `phases` the
    phases of treatment it holds in, empty for all. `leaves` is the severity that is left with such a dose: more than
    information where the label would rather avoid the combination.
    """

    max_daily_dose: float
    at: frozenset[str] = frozenset()
    beside: frozenset[str] = frozenset()
    phases: frozenset[str] = frozenset()
    leaves: Severity = Severity.LOW


@dataclass(frozen=True, slots=True)
class Substrate:
    """A way a drug leaves the body, is taken up, or is activated.

    `share` is the contribution ratio: the share of oral clearance (or of absorption, or of activation) that runs
    through the pathway; `share_parenteral` replaces it where the gut is bypassed.
    `at_strength` gives a severity for a perpetrator of a named strength where the label says so. `advice` is given whatever
    acts on the pathway, `advice_inhibited` and `advice_induced` only where an inhibitor or an inducer does.
    `doses_beside` are the doses that the label allows then: who takes no more has had the change made.
    """

    pathway: str
    share: float
    share_parenteral: float | None = None
    activation: bool = False
    at_strength: Mapping[str, Severity] = field(default_factory=dict)
    advice: tuple[str, ...] = ()
    advice_inhibited: tuple[str, ...] = ()
    advice_induced: tuple[str, ...] = ()
    doses_beside: tuple[DoseBeside, ...] = ()
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
    """A class of drugs: its parents, and what is true of every member unless the member says otherwise.

    `duplicate_excluding` are members that are given for something else, so that beside another member they double nothing.
    """

    id: str
    name: str
    parents: tuple[str, ...] = ()
    synonyms: tuple[str, ...] = ()
    effects: tuple[EffectWeight, ...] = ()
    cautions: tuple[Caution, ...] = ()
    allergy: Allergy | None = None
    duplicate_severity: Severity | None = None
    duplicate_text: str = ""
    duplicate_excluding: frozenset[str] = frozenset()
    lifetime_limits: tuple[LifetimeLimit, ...] = ()
    sources: tuple[Citation, ...] = ()

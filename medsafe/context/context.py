"""The context of one case: everything that the checks ask about, derived once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from medsafe.graph.index import Index
from medsafe.model.case import AllergyRecord, Case
from medsafe.model.criteria import Facts
from medsafe.model.findings import Notice
from medsafe.model.knowledge import Band, Severity
from medsafe.model.medicine import Medicine
from medsafe.model.vocabulary import PATIENT_FIELDS_OF_FACTS


@dataclass(frozen=True, slots=True)
class OpioidTotals:
    """Daily oral morphine equivalent of the regimen and how it was worked out."""

    ome_mg_per_day: float | None = None
    regular_ome_mg_per_day: float | None = None
    before_new_mg_per_day: float | None = 0.0
    replaced: Mapping[str, tuple[str, float | None]] = field(default_factory=dict)
    table: str = ""
    lines: tuple[Mapping[str, Any], ...] = ()
    naive: bool | None = None
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OrganState:
    """Renal and hepatic function as judged, with what is missing for each estimate."""

    shown: Mapping[str, Any] = field(default_factory=dict)
    crcl_ml_min: float | None = None
    egfr_ml_min_173m2: float | None = None
    missing_for_renal: tuple[str, ...] = ()
    hepatic_worst: str | None = None
    hepatic_best: str | None = None
    hepatic_suspected: bool = False
    missing_for_hepatic: tuple[str, ...] = ()
    cholestasis: bool = False
    renal_caveats: tuple[str, ...] = ()

    def renal(self, estimate: str) -> float | None:
        """The estimate a rule names."""
        return self.crcl_ml_min if estimate == "crcl" else self.egfr_ml_min_173m2


@dataclass(frozen=True, slots=True)
class Policy:
    """What the team has decided about severities and interruption, from `interaction_data/policy.toml`."""

    exposure_increase: Mapping[str, tuple[tuple[float, Severity], ...]] = field(default_factory=dict)
    exposure_decrease: Mapping[str, tuple[tuple[float, Severity], ...]] = field(default_factory=dict)
    dose_excess: tuple[tuple[float, int], ...] = ()
    interrupt_from: Severity = Severity.HIGH
    interrupt_at_comfort_from: Severity = Severity.CRITICAL
    acute_hazards: frozenset[str] = frozenset()
    switched_off: tuple[str, ...] = ()
    opioid: Mapping[str, Any] = field(default_factory=dict)
    default_opioid_table: str = ""
    smoking_substance: str = ""
    inr_unreliable_with: frozenset[str] = frozenset()
    tolerated_days: float = 14.0
    no_oral_with: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Substance:
    """What a recorded allergy is to: drugs or classes of ours, with the record."""

    record: AllergyRecord
    ids: frozenset[str]


@dataclass(frozen=True, slots=True)
class Context:
    """One case, understood. `focus` is a hypothetical order: only findings that it takes part in are asked for."""

    case: Case
    index: Index
    policy: Policy
    active: tuple[Medicine, ...]
    stopped: tuple[Medicine, ...]
    facts: Facts
    organ: OrganState
    opioids: OpioidTotals
    substances: tuple[Substance, ...] = ()
    focus: Medicine | None = None

    @property
    def systemic(self) -> tuple[Medicine, ...]:
        return tuple(m for m in self.active if m.systemic)

    @property
    def asked(self) -> tuple[Medicine, ...]:
        """The medicines about which findings are asked for, one by one."""
        return self.active if self.focus is None else tuple(m for m in self.active if m.order == self.focus.order)

    def in_focus(self, *medicines: Medicine) -> bool:
        """Whether findings about these medicines together are asked for."""
        return self.focus is None or self.focus.order in [m.order for m in medicines]

    def with_option(self, option: Medicine, without: frozenset[str] = frozenset()) -> Context:
        """The same case with one more order (and without the orders it replaces), seen from that order."""
        active = tuple(m for m in self.active if m.order not in without) if without else self.active
        merged = tuple(sorted((*active, option), key=lambda m: (m.id, m.order)))
        added = option.tags if option.systemic else frozenset()
        tags = self.facts.medicines | added
        if without:
            tags = frozenset().union(*(m.tags for m in merged if m.systemic))
        return replace(self, active=merged, facts=replace(self.facts, medicines=tags), focus=option)


def patient_field(fact: str) -> str:
    """The request field that a fact comes from.

    >>> patient_field("potassium_mmol_l")
    'patient.potassium'
    """
    if fact in PATIENT_FIELDS_OF_FACTS:
        return f"patient.{PATIENT_FIELDS_OF_FACTS[fact]}"
    if fact in ("intent", "prognosis"):
        return f"goals.{fact}"
    if fact.startswith("genotype."):
        return f"patient.genotypes.{fact.removeprefix('genotype.').upper()}"
    for suffix in ("_umol_l", "_mmol_l", "_g_l", "_u_l", "_10_9_l", "_mg_g"):
        if fact.endswith(suffix):
            return f"patient.{fact.removesuffix(suffix)}"
    return f"patient.{fact}"


def missing_notices(facts: frozenset[str], blocks: str, why: str) -> Iterator[Notice]:
    """A notice for each fact that a check needed and did not get. Genotypes are only asked for where known."""
    for fact in sorted(facts):
        code, name, label = _asked_for(fact)
        if code:
            yield Notice(code, name, f"No {label} was given: {why}.", None, (blocks,))


@cache
def _asked_for(fact: str) -> tuple[str, str, str]:
    """Code, field and words of the notice about a missing fact; no code where it is not asked for. Data name the facts."""
    if fact.startswith("genotype.") or fact in OPTIONAL_FACTS:
        return "", "", ""
    name = patient_field(fact)
    return (
        "missing-data" if fact in PLAIN_FACTS else "missing-lab",
        name,
        name.split(".", 1)[1].replace("_", " "),
    )


PLAIN_FACTS = frozenset(
    {"age_years", "sex", "weight_kg", "height_cm", "bmi", "dialysis", "sedation", "ascites", "encephalopathy"}
)
# Not asked for: nobody reports these unless they hold, and their absence is the ordinary case.
OPTIONAL_FACTS = frozenset(
    {
        "pregnancy_weeks",
        "smoking",
        "smoking_stopped_days_ago",
        "intent",
        "prognosis",
        "sedation",
        "temperature_c",
        "respiratory_rate",
        "spo2_percent",
        "aki",
        "creatinine_trend",
        "heart_rate_bpm",
        "systolic_bp_mmhg",
        "bmi",
        "ome_mg_per_day",
        "opioid_naive",
        "urine_acr_mg_g",
        "sex",
        "glucose_mmol_l",
    }
)
BAND_NONE = Band("none")


def estimates_missing(organ: OrganState, values: Mapping[str, Any]) -> Iterator[Notice]:
    """What kept an estimate from being worked out."""
    if organ.crcl_ml_min is None or organ.egfr_ml_min_173m2 is None:
        for missing in organ.missing_for_renal:
            code = "missing-lab" if missing.endswith("creatinine") else "missing-data"
            yield Notice(code, missing, "Without it kidney function can't be estimated.", None, ("renal",))
    for name, fact in (
        ("bilirubin", "bilirubin_umol_l"),
        ("albumin", "albumin_g_l"),
        ("inr", "inr"),
        ("ascites", "ascites"),
        ("encephalopathy", "encephalopathy"),
    ):
        if fact not in values:
            code = "missing-data" if name in ("ascites", "encephalopathy") else "missing-lab"
            yield Notice(code, f"patient.{name}", "Without it Child-Pugh can't be worked out.", None, ("hepatic",))
    if "height_cm" not in values:
        yield Notice(
            "missing-data",
            "patient.height_cm",
            "Without it body surface and ideal weight can't be worked out.",
            None,
            ("body",),
        )

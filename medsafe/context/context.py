"""The context of one case: everything that the checks ask about, derived once."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from medsafe.graph.index import Index
from medsafe.model.case import AllergyRecord, Case
from medsafe.model.criteria import Facts, Verdict
from medsafe.model.drugs import Band
from medsafe.model.findings import Notice
from medsafe.model.knowledge import ConversionRow
from medsafe.model.medicine import Medicine
from medsafe.model.statements import Severity
from medsafe.model.vocabulary import PARTS_OF_FACTS, shown_name
from medsafe.opioids.totals import Line, disagreements, is_agonist, lines_of, rounded, total


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
    disagreements: tuple[Mapping[str, Any], ...] = ()
    regular_for_days: float | None = None
    as_needed_taken_mg_per_day: float = 0.0


def opioid_totals(
    active: tuple[Medicine, ...],
    before: tuple[Medicine, ...],
    replaces: Mapping[str, frozenset[str]],
    rows: tuple[ConversionRow, ...],
    table: str,
) -> OpioidTotals:
    """Totals of a regimen with its new orders, and of what was taken before them.

    Parameters
    ----------
    active: what is taken with the new orders. before: what was taken before them.
    replaces: for each new order the orders that it takes the place of.
    rows, table: the conversion tables, and the one to use.
    """
    taken_ids = {m.id for m in (*active, *before)}
    rows = tuple(row for row in rows if row.opioid in taken_ids)
    lines, lines_before = lines_of(active, rows, table), lines_of(before, rows, table)
    ome_before = total(lines_before)
    taken = [line for line in lines_before if not line.as_needed or line.ome_mg_per_day]
    by_order = {line.order: line for line in lines_before}
    replaced = {ref: found for ref, olds in replaces.items() if (found := _replaced(olds, by_order)) is not None}
    return OpioidTotals(
        rounded(total(lines)),
        rounded(total(line for line in lines if not line.as_needed)),
        rounded(ome_before),
        replaced,
        table,
        tuple(line.shown() for line in lines),
        not taken or ome_before == 0,
        tuple(line.order for line in lines if line.ome_mg_per_day is None),
        tuple(item.shown() for item in disagreements(active, rows, table)),
        max((m.taken_for_days for m in before if _regular(m) and m.taken_for_days is not None), default=None),
        sum(line.ome_mg_per_day or 0.0 for line in lines_before if line.as_needed and line.use_known),
    )


def _regular(medicine: Medicine) -> bool:
    return is_agonist(medicine) and not medicine.prn


def _replaced(olds: frozenset[str], by_order: Mapping[str, Line]) -> tuple[str, float | None] | None:
    """The drug that is replaced ("" when there are several) and its daily oral morphine; as-needed doses only alone."""
    lines = [by_order[ref] for ref in sorted(olds) if ref in by_order]
    regular = [line for line in lines if not line.as_needed] or lines
    if not regular:
        return None
    drugs = {line.drug for line in regular}
    return (drugs.pop() if len(drugs) == 1 else "", total(regular))


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
class OrderableTest:
    """How a test is ordered whose result is missing: a short name, its LOINC code and that code's own words."""

    name: str
    loinc: str
    display: str


@dataclass(frozen=True, slots=True)
class Unstated:
    """What is said, and how severe at least, where a record has no statement for a dialysis modality."""

    at_least: Severity
    text: str


@dataclass(frozen=True, slots=True)
class Rising:
    """What a rising creatinine asks for at one stage of acute kidney injury.

    `at_most` caps what the stricter band adds; `clearance_ml_min` is what the clearance is taken to be, None where the
    next band below is enough.
    """

    at_most: Severity
    clearance_ml_min: float | None = None


@dataclass(frozen=True, slots=True)
class PatientPolicy:
    """How what is said of a patient is read: conditions by what they bear on, and from where a value counts."""

    childbearing_years: tuple[float, float]
    full_albumin_g_l: float
    advanced: frozenset[str]
    advanced_max_age_days: int
    changing: frozenset[str]
    renal_suspects: frozenset[str]
    dialysis_shown: Mapping[str, str]
    renal_suspects_below: float
    low_muscle: frozenset[str]
    swollen: frozenset[str]
    extreme_bmi: tuple[float, float]
    cystatin_c_agrees: float
    qtc_agrees_ms: float
    liver_disease: frozenset[str]
    liver_suspects: frozenset[str]
    bilirubin_upper_umol_l: float
    ast_upper_u_l: float
    liver_ill_from: Mapping[str, float]
    liver_ill_with: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Policy:
    """What the team has decided about severities and interruption, from `interaction_data/policy.toml`."""

    patient: PatientPolicy
    exposure_increase: Mapping[str, tuple[tuple[float, Severity], ...]] = field(default_factory=dict)
    exposure_decrease: Mapping[str, tuple[tuple[float, Severity], ...]] = field(default_factory=dict)
    dose_excess: tuple[tuple[float, int], ...] = ()
    slip_from_ratio: float = math.inf
    interrupt_from: Severity = Severity.HIGH
    interrupt_at_comfort_from: Severity = Severity.CRITICAL
    acute_hazards: frozenset[str] = frozenset()
    switched_off: tuple[str, ...] = ()
    opioid: Mapping[str, Any] = field(default_factory=dict)
    default_opioid_table: str = ""
    smoking_substance: str = ""
    inr_unreliable_with: frozenset[str] = frozenset()
    tolerated_days: float = 14.0
    tolerated_kinds: frozenset[str] = frozenset()
    tolerated_when_stable: frozenset[str] = frozenset()
    tolerated_diseases: frozenset[str] = frozenset()
    not_tolerated: frozenset[str] = frozenset()
    no_oral_with: frozenset[str] = frozenset()
    doses_from_age_years: float = 0.0
    infusion_step: float = 1.0
    most_raise: float = 1.0
    least_raise: float = 1.0
    watched_for_offsets: float = 1.0
    told_from_auc_ratio: float = 1.0
    organ_conditions: Mapping[str, frozenset[str]] = field(default_factory=dict)
    dialysis_unstated: Mapping[str, Unstated] = field(default_factory=dict)
    dialysis_words: Mapping[str, str] = field(default_factory=dict)
    rising: Mapping[str, Rising] = field(default_factory=dict)
    priorities: tuple[Mapping[str, Any], ...] = ()
    intents: tuple[Mapping[str, Any], ...] = ()
    most_cards: int = 4
    most_quiet_cards: int = 1
    standing_interrupts: frozenset[str] = frozenset()
    only_for_own_kind: frozenset[str] = frozenset()
    override_reasons: tuple[tuple[str, str], ...] = ()
    tests: Mapping[str, OrderableTest] = field(default_factory=dict)


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
    # Orders of the regimen that new orders take the place of.
    replaced: tuple[Medicine, ...] = ()

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

    def without(self, orders: frozenset[str]) -> Context:
        """The same case as if some orders were stopped, for rules that ask what is taken."""
        if not orders:
            return self
        active = tuple(m for m in self.active if m.order not in orders)
        tags: frozenset[str] = frozenset().union(*(m.tags for m in active if m.systemic))
        return replace(self, active=active, facts=replace(self.facts, medicines=tags))

    def with_option(self, option: Medicine, without: frozenset[str] = frozenset()) -> Context:
        """The same case with one more order (and without the orders it replaces), seen from that order."""
        active = tuple(m for m in self.active if m.order not in without) if without else self.active
        merged = tuple(sorted((*active, option), key=lambda m: (m.id, m.order)))
        added = option.tags if option.systemic else frozenset()
        tags = self.facts.medicines | added
        if without:
            tags = frozenset().union(*(m.tags for m in merged if m.systemic))
        facts = replace(self.facts, medicines=tags)
        if not is_agonist(option) and not any(is_agonist(m) for m in self.active if m.order in without):
            return replace(self, active=merged, facts=facts, focus=option)
        totals = opioid_totals(
            merged, self.active, {option.order: without}, self.index.knowledge.conversion, self.opioids.table
        )
        # What was taken before stays what it was before all new orders: naive is a statement of the patient.
        totals = replace(
            totals,
            naive=self.opioids.naive,
            before_new_mg_per_day=self.opioids.before_new_mg_per_day,
            regular_for_days=self.opioids.regular_for_days,
        )
        values = {key: value for key, value in facts.values.items() if key != "ome_mg_per_day"}
        if totals.ome_mg_per_day is not None:
            values["ome_mg_per_day"] = totals.ome_mg_per_day
        return replace(self, active=merged, facts=replace(facts, values=values), opioids=totals, focus=option)


def patient_field(fact: str) -> str:
    """The request field that a fact comes from.

    >>> patient_field("potassium_mmol_l")
    'patient.potassium'
    """
    if fact in PARTS_OF_FACTS:
        return patient_field(PARTS_OF_FACTS[fact][0])
    if fact in ("intent", "prognosis"):
        return f"goals.{fact}"
    if fact == "symptoms":
        return fact
    if fact.startswith("genotype."):
        return f"patient.genotypes.{fact.removeprefix('genotype.').upper()}"
    for suffix in ("_umol_l", "_mmol_l", "_g_l", "_u_l", "_10_9_l", "_mg_g"):
        if fact.endswith(suffix):
            return f"patient.{fact.removesuffix(suffix)}"
    return f"patient.{fact}"


def orders_of(medicines: Iterable[Medicine]) -> tuple[str, ...]:
    """The orders of some medicines, each once, in their order."""
    return tuple(sorted({m.order for m in medicines}))


def called(context: Context, medicine: Medicine) -> str:
    """An order as it was written, its drug where that is a code, with its place where another was written alike."""
    name = medicine.drug.name if "|" in medicine.product else medicine.product
    alike = any(m.product == medicine.product and m.order != medicine.order for m in context.active)
    return f"{name} ({medicine.order})" if alike else name


def missing_notices(
    context: Context, verdict: Verdict, blocks: str, why: str, medicines: Iterable[Medicine], quiet: bool = False
) -> Iterator[Notice]:
    """A notice for each fact that a check of these medicines needed and did not get.

    What nobody reports unless it holds, what only a condition or symptom rests on, and what could add no more than
    information (`quiet`) are not asked for one by one: `medsafe.checks.not_stated` tells them together.
    """
    orders = orders_of(medicines)
    for fact in sorted(verdict.missing | verdict.unseen):
        code, name, label = _asked_for(fact, _part_missing(fact, context.facts))
        if quiet or code == UNSTATED or fact not in verdict.missing:
            yield Notice(UNSTATED, name, label, None, (blocks,), limits=False, orders=orders)
        else:
            message = f"{label[:1].upper()}{label[1:]} not given: {why}."
            yield Notice(code, name, message, None, (blocks,), orders=orders)


def _part_missing(fact: str, facts: Facts) -> str:
    """Of what a fact is worked out from, the part that is not there; the fact itself where that can't be told."""
    return next((part for part in PARTS_OF_FACTS.get(fact, ()) if part not in facts.values), fact)


@cache
def _asked_for(fact: str, part: str) -> tuple[str, str, str]:
    """Code, field and words of the notice about a missing fact, by the part of it to ask for. Data name the facts."""
    name = patient_field(part)
    if fact.startswith("genotype."):
        return UNSTATED, name, f"{fact.removeprefix('genotype.').upper()} genotype"
    label = shown_name(name.split(".", 1)[-1])
    if fact in OPTIONAL_FACTS:
        return UNSTATED, name, label
    return ("missing-data" if part in PLAIN_FACTS else "missing-lab"), name, label


# Code, within the checks only, of a fact that would have counted and is told together with others like it.
UNSTATED = "unstated"
PLAIN_FACTS = frozenset(
    {"age_years", "sex", "weight_kg", "height_cm", "bmi", "dialysis", "sedation", "ascites", "encephalopathy"}
)
# Not asked for one by one: nobody reports these unless they hold, and their absence is the ordinary case.
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

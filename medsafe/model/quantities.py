"""Quantities: the closed table of analytes, their units and the ranges in which a value can be believed.

This room turns a number and a unit, as sent, into a number in one canonical unit, or says why it must not be used.
It never assumes a unit and never repairs a value: a creatinine read in the wrong unit is wrong eighty-eightfold, and
every dose that rests on it is wrong too. It does not judge whether a value is high or low for the patient.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeGuard

UNIT_SUSPECT = "unit-suspect"
VALUE_IMPLAUSIBLE = "value-implausible"
UNITLESS = "1"


@dataclass(frozen=True, slots=True)
class Analyte:
    """One laboratory quantity: its canonical unit, the units it may come in, and what values can be believed.

    Attributes
    ----------
    factors: canonical spelling of a unit → multiply by this to get the canonical unit.
    plausible: lowest and highest value ever met in a living adult, canonical unit, both included.
    suspicious: a value outside these bounds is doubted when another unit would bring it inside them.
    max_age_days, max_age_days_changing: how old a result may be in a stable patient, and while function is changing.
    """

    id: str
    fact: str
    canonical_unit: str
    factors: Mapping[str, float]
    plausible: tuple[float, float]
    suspicious: tuple[float, float]
    max_age_days: int
    max_age_days_changing: int

    @property
    def unitless(self) -> bool:
        return self.canonical_unit == UNITLESS


@dataclass(frozen=True, slots=True)
class Vital:
    """A bare number whose unit is in its name.

    `others` are units in which it is often sent by mistake (factor, offset): canonical = (value − offset) × factor.
    They are only ever named as candidates, never applied.
    """

    name: str
    unit: str
    plausible: tuple[float, float]
    usual: tuple[float, float]
    others: Mapping[str, tuple[float, float]] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Reading:
    """What became of a value: a number in the canonical unit, or a doubt and what to do about it.

    `value` is None whenever `doubt` is set: a doubtful value is never used. `candidates` are the units that would
    make the number believable.
    """

    value: float | None
    doubt: str | None = None
    message: str = ""
    candidates: tuple[str, ...] = ()


# Units. Left the canonical spelling, right how it is met once folded (see `_fold`). Units that are numerically the
# same share one spelling, so that they never count as rivals: 10*3/uL is 10^9/L, ng/mL is ug/L.
_SPELLINGS: Mapping[str, tuple[str, ...]] = {
    "umol/L": ("umol/l",),
    "mmol/L": ("mmol/l", "mm"),
    "nmol/L": ("nmol/l",),
    "mEq/L": ("meq/l", "mval/l"),
    "mg/dL": ("mg/dl", "mg%", "mg/100ml"),
    "ug/dL": ("ug/dl", "ug%", "ug/100ml"),
    "g/dL": ("g/dl", "gm/dl", "g%", "g/100ml"),
    "g/L": ("g/l", "gm/l", "mg/ml"),
    "mg/L": ("mg/l", "ug/ml"),
    "ug/L": ("ug/l", "ng/ml"),
    "U/L": ("u/l", "iu/l", "ui/l", "unit/l", "units/l", "internationalunits/l"),
    "ukat/L": ("ukat/l",),
    "mU/L": ("mu/l", "miu/l", "uu/ml", "uiu/ml"),
    "10^9/L": (
        "10^9/l",
        "10^3/ul",
        "10^3/mm3",
        "k/ul",
        "k/mm3",
        "thou/ul",
        "thou/mm3",
        "thousand/ul",
        "thousands/ul",
        "thousand/mm3",
        "thousands/mm3",
        "/nl",
        "1/nl",
        "gpt/l",
    ),
    "/uL": ("/ul", "1/ul", "cells/ul", "/mm3", "1/mm3", "cells/mm3", "/cumm", "cells/cumm", "permm3", "perul"),
    "mg/g": ("mg/g", "mg/gcr", "mg/gcreat", "mg/gcreatinine", "ug/mg"),
    "mg/mmol": ("mg/mmol", "mg/mmolcr", "mg/mmolcreat", "g/mol"),
    "1": ("1", "inr", "ratio"),
    "%": ("%",),
}
UNIT_SPELLINGS: Mapping[str, str] = MappingProxyType(
    {folded: unit for unit, spellings in _SPELLINGS.items() for folded in spellings}
)
_PLAIN = str.maketrans({"⁰": "^0", "¹": "^1", "³": "^3", "⁹": "^9", "⁻": "-", "µ": "u", "μ": "u", "×": "x"})
_FOLDS = (
    (re.compile(r"[\s\[\]{}]"), ""),  # spaces, UCUM brackets: [IU]/L, {INR}, mg/g{creat}
    (re.compile(r"^(?:mc|micro)(?=mol|g|kat|l)"), "u"),
    (re.compile(r"(?<=mol)es?(?=/|per)"), ""),
    (re.compile(r"(?<=[a-z])per(?=d?l|ul|mm3)"), "/"),
    (re.compile(r"/mcl$|/microl$"), "/ul"),
    (re.compile(r"lit(?:re|er)s?$"), "l"),
    (re.compile(r"^[x*]+(?=10)"), ""),  # x10^9/L, *10^9/L
    (re.compile(r"^10(?:\*{1,2}|\^|e\+?|\()?0?([39])\)?(?=/)"), r"10^\1"),  # 10*9, 10**9, 10e9, 10(9), 109
    (re.compile(r"mm\^3$"), "mm3"),
    (re.compile(r"[.·]?l\^?-\^?1$"), "/l"),  # mmol.L-1, mmol L⁻¹
)


def _fold(text: str) -> str:
    folded = text.translate(_PLAIN).lower()
    for pattern, replacement in _FOLDS:
        folded = pattern.sub(replacement, folded)
    return folded


def normalise_unit(text: str) -> str | None:
    """The canonical spelling of a unit, whatever its case, micro sign or dialect; None when it is not in the table.

    Case tells only one pair apart: `G/L` is giga per litre, `g/L` gram per litre.

    >>> normalise_unit("µmol/l"), normalise_unit("10*3/uL"), normalise_unit("[IU]/L"), normalise_unit("furlong")
    ('umol/L', '10^9/L', 'U/L', None)
    """
    return "10^9/L" if text.strip() == "G/L" else UNIT_SPELLINGS.get(_fold(text))


def _analyte(
    id: str,
    fact: str,
    factors: Mapping[str, float],
    plausible: tuple[float, float],
    suspicious: tuple[float, float],
    days: tuple[int, int],
) -> Analyte:
    canonical = next(iter(factors))
    return Analyte(id, fact, canonical, MappingProxyType(dict(factors)), plausible, suspicious, *days)


_ELECTROLYTE = {"mmol/L": 1.0, "mEq/L": 1.0}
_ENZYME = {"U/L": 1.0, "ukat/L": 60.0}
_COUNT = {"10^9/L": 1.0, "/uL": 0.001}

# The first unit is the canonical one. The ages are the house's own choice, to be revised by the pharmacists: there is
# no published table. Ranges are set so that values met in real illness are believed; where two units overlap the
# narrower bound is chosen so that the *dangerous* reading is the one doubted.
_TABLE = (
    # 12 umol/L is doubted (12 mg/dL = 1061, anuria); 18 umol/L, cachexia, is believed (18 mg/dL = 1591, hardly met).
    _analyte("creatinine", "creatinine_umol_l", {"umol/L": 1, "mg/dL": 88.4}, (5, 3000), (25, 1500), (90, 7)),
    _analyte("cystatin_c", "cystatin_c_mg_l", {"mg/L": 1}, (0.2, 15), (0.4, 10), (90, 14)),
    # Up to 40 mg/dL is met in liver failure, so it is not doubted although the number would be usual in umol/L.
    _analyte("bilirubin", "bilirubin_umol_l", {"umol/L": 1, "mg/dL": 17.1}, (1, 1200), (2, 700), (90, 14)),
    _analyte("albumin", "albumin_g_l", {"g/L": 1, "g/dL": 10}, (7, 65), (15, 55), (90, 14)),
    # A prothrombin activity in % is not an INR: % is deliberately absent.
    _analyte("inr", "inr", {UNITLESS: 1}, (0.5, 30), (0.8, 12), (30, 3)),
    _analyte("ast", "ast_u_l", _ENZYME, (1, 30000), (3, 5000), (90, 14)),
    _analyte("alt", "alt_u_l", _ENZYME, (1, 30000), (3, 5000), (90, 14)),
    _analyte("alp", "alp_u_l", _ENZYME, (3, 15000), (8, 3000), (90, 14)),
    _analyte("platelets", "platelets_10_9_l", _COUNT, (0.5, 3000), (10, 1000), (30, 7)),
    _analyte("neutrophils", "neutrophils_10_9_l", _COUNT, (0, 200), (0.5, 25), (30, 7)),
    # From 20: a haemoglobin of 2 g/dL is survived; 12 g/L is not, and is 12 g/dL.
    _analyte("haemoglobin", "haemoglobin_g_l", {"g/L": 1, "g/dL": 10, "mmol/L": 16.114}, (15, 260), (20, 190), (30, 7)),
    _analyte("sodium", "sodium_mmol_l", _ELECTROLYTE, (90, 200), (110, 170), (30, 3)),
    _analyte("potassium", "potassium_mmol_l", _ELECTROLYTE, (1, 12), (2, 8), (30, 3)),
    # 1.8 to 4 mmol/L is doubted: 1.8 mg/dL is normal and common, 1.8 mmol/L rare. 0.8 mg/dL (cisplatin) is believed.
    _analyte(
        "magnesium", "magnesium_mmol_l", {"mmol/L": 1, "mg/dL": 0.4114, "mEq/L": 0.5}, (0.1, 10), (0.2, 1.7), (30, 7)
    ),
    # Up to 4.7 mmol/L is met in malignant hypercalcaemia; total calcium below 1.2 mmol/L hardly ever.
    _analyte("calcium", "calcium_mmol_l", {"mmol/L": 1, "mg/dL": 0.2495, "mEq/L": 0.5}, (0.5, 7), (1.2, 4.7), (30, 7)),
    # From 0.15 (0.5 mg/dL): refeeding. Up to 3.2: tumour lysis; above it 3.5 mg/dL is the likelier reading.
    _analyte("phosphate", "phosphate_mmol_l", {"mmol/L": 1, "mg/dL": 0.3229}, (0.05, 8), (0.15, 3.2), (30, 7)),
    _analyte("glucose", "glucose_mmol_l", {"mmol/L": 1, "mg/dL": 0.0555}, (0.3, 110), (1.1, 60), (7, 1)),
    # mg/dL is read as urea *nitrogen* (BUN). Where a laboratory means mg of urea, this overstates it twofold.
    _analyte("urea", "urea_mmol_l", {"mmol/L": 1, "mg/dL": 0.357}, (0.3, 120), (0.7, 60), (90, 7)),
    # The two units overlap over the whole range of disease: only impossible values can be told.
    _analyte("urine_acr", "urine_acr_mg_g", {"mg/g": 1, "mg/mmol": 8.84}, (0, 40000), (0, 40000), (365, 90)),
    _analyte("crp", "crp_mg_l", {"mg/L": 1, "mg/dL": 10}, (0, 1000), (0, 500), (30, 7)),
    _analyte("lactate", "lactate_mmol_l", {"mmol/L": 1, "mg/dL": 0.111}, (0.1, 40), (0.3, 30), (3, 1)),
    # From 10: urate-oxidase treatment leaves 0.2 to 0.5 mg/dL.
    _analyte(
        "uric_acid", "uric_acid_umol_l", {"umol/L": 1, "mg/dL": 59.48, "mmol/L": 1000}, (2, 3000), (10, 1500), (30, 3)
    ),
    _analyte("ammonia", "ammonia_umol_l", {"umol/L": 1, "ug/dL": 0.5872}, (1, 3000), (5, 1000), (7, 1)),
    _analyte("tsh", "tsh_mu_l", {"mU/L": 1}, (0, 1000), (0.01, 200), (365, 90)),
    # Drug levels: laboratory tests that happen to be named after what they measure.
    _analyte("digoxin_level", "digoxin_level_ug_l", {"ug/L": 1, "nmol/L": 0.7809}, (0.05, 60), (0.1, 20), (30, 3)),
    _analyte("lithium_level", "lithium_level_mmol_l", _ELECTROLYTE, (0.02, 15), (0.05, 6), (90, 3)),
    _analyte("phenytoin_level", "phenytoin_level_mg_l", {"mg/L": 1, "umol/L": 0.2523}, (0.2, 150), (1, 50), (30, 7)),
    _analyte(
        "carbamazepine_level", "carbamazepine_level_mg_l", {"mg/L": 1, "umol/L": 0.2363}, (0.1, 100), (0.5, 30), (30, 7)
    ),
    _analyte("valproate_level", "valproate_level_mg_l", {"mg/L": 1, "umol/L": 0.1442}, (1, 2000), (5, 300), (30, 7)),
)
ANALYTES: Mapping[str, Analyte] = MappingProxyType({analyte.id: analyte for analyte in _TABLE})

# No adult is lighter, and no adult has been outside this body mass index (kg/m²): beyond, weight or height is a slip.
ADULT_WEIGHT_FROM_KG = 20.0
ADULT_BMI = (8.0, 120.0)

_SECONDS = MappingProxyType({"s": (1000.0, 0.0)})
VITALS: Mapping[str, Vital] = MappingProxyType(
    {
        vital.name: vital
        for vital in (
            Vital("age_years", "years", (0.01, 120), (0.01, 110)),
            Vital("weight_kg", "kg", (0.3, 400), (30, 200)),
            Vital("height_cm", "cm", (20, 260), (130, 210), MappingProxyType({"m": (100.0, 0.0)})),
            Vital("qtc_ms", "ms", (200, 900), (300, 650), _SECONDS),
            Vital("qt_ms", "ms", (150, 900), (250, 650), _SECONDS),
            Vital("heart_rate_bpm", "beats per minute", (15, 350), (40, 180)),
            Vital("respiratory_rate", "breaths per minute", (1, 100), (6, 40)),
            Vital("temperature_c", "°C", (20, 45), (34, 42), MappingProxyType({"°F": (5 / 9, 32.0)})),
            Vital("systolic_bp_mmhg", "mmHg", (30, 320), (70, 220)),
            Vital("spo2_percent", "%", (20, 100), (60, 100), MappingProxyType({"fraction": (100.0, 0.0)})),
            Vital("pregnancy_weeks", "weeks", (1, 44), (3, 42)),
        )
    }
)


def _within(value: float, bounds: tuple[float, float]) -> bool:
    return bounds[0] <= value <= bounds[1]


def _tidy(value: float) -> float:
    """Ten significant digits: 3 mg/dL is 51.3 umol/L, not 51.300000000000004, and so on the right side of a bound."""
    return float(f"{value:.10g}")


def _or(words: tuple[str, ...] | list[str]) -> str:
    return " or ".join(words)


def _is_given(unit: str | None) -> TypeGuard[str]:
    return unit is not None and bool(unit.strip())


def _unit_of(analyte: Analyte, text: str | None) -> str | None:
    """The unit as this analyte knows it; only a bare number may come without one.

    Giga and gram per litre differ by case alone: the analyte decides which of the two is meant.
    """
    if not _is_given(text):
        return UNITLESS if analyte.unitless else None
    readings = ("10^9/L", "g/L") if text.strip().lower() == "g/l" else (normalise_unit(text),)
    return next((unit for unit in readings if unit in analyte.factors), None)


def _units_making_it_usual(analyte: Analyte, value: float) -> tuple[str, ...]:
    return tuple(unit for unit, factor in analyte.factors.items() if _within(_tidy(value * factor), analyte.suspicious))


def _expected_units(analyte: Analyte) -> str:
    return "a bare number" if analyte.unitless else _or(list(analyte.factors))


def _without_usable_unit(analyte: Analyte, value: float, unit: str | None) -> Reading:
    wrong = f'has the unit "{unit}", which is not one of its units' if _is_given(unit) else "has no unit"
    return Reading(
        None,
        UNIT_SUSPECT,
        f"{analyte.id} {value:g} {wrong}; it is not used. Expected {_expected_units(analyte)}. "
        "Take the unit from the laboratory report and send the value with it.",
        _units_making_it_usual(analyte, value),
    )


def _suspect(analyte: Analyte, value: float, unit: str, candidates: tuple[str, ...]) -> Reading:
    low, high = analyte.suspicious
    return Reading(
        None,
        UNIT_SUSPECT,
        f"{analyte.id} {value:g} {unit} is not used: it is hardly ever met, but {value:g} {_or(candidates)} is. "
        f"Expected {low:g} to {high:g} {analyte.canonical_unit}. "
        "Check the unit on the laboratory report and send it again.",
        candidates,
    )


def _implausible(name: str, value: float, unit: str, bounds: tuple[float, float], canonical_unit: str) -> Reading:
    shown, expected = (text.replace(f" {UNITLESS}", "") for text in (f" {unit}", f" {canonical_unit}"))
    return Reading(
        None,
        VALUE_IMPLAUSIBLE,
        f"{name} {value:g}{shown} is not possible; it is not used. "
        f"Expected {bounds[0]:g} to {bounds[1]:g}{expected}. Check for a slip of the decimal point and send again.",
    )


def read_quantity(analyte_id: str, value: float, unit: str | None) -> Reading:
    """Read a laboratory value in the unit it came with.

    Parameters
    ----------
    analyte_id: a key of `ANALYTES`; any other is a fault of the caller (KeyError).
    value: the number as sent.
    unit: the unit as sent, in any usual spelling. None or empty is always a doubt, except for bare numbers (INR).

    Returns
    -------
    A `Reading`: the value in the canonical unit, or the doubt, its explanation and the units that would explain it.

    >>> read_quantity("creatinine", 1.9, "mg/dL").value
    167.96
    >>> read_quantity("creatinine", 1.1, "umol/L").doubt, read_quantity("creatinine", 1.1, "umol/L").candidates
    ('unit-suspect', ('mg/dL',))
    >>> read_quantity("sodium", 138, None).doubt
    'unit-suspect'
    """
    analyte = ANALYTES[analyte_id]
    if not math.isfinite(value) or value < 0:
        return _implausible(analyte_id, value, unit or UNITLESS, analyte.plausible, analyte.canonical_unit)
    known = _unit_of(analyte, unit)
    return _without_usable_unit(analyte, value, unit) if known is None else _weigh(analyte, value, known)


def _weigh(analyte: Analyte, value: float, unit: str) -> Reading:
    canonical = _tidy(value * analyte.factors[unit])
    if _within(canonical, analyte.suspicious):
        return Reading(canonical)
    if candidates := _units_making_it_usual(analyte, value):
        return _suspect(analyte, value, unit, candidates)
    if _within(canonical, analyte.plausible):
        return Reading(canonical)
    return _implausible(analyte.id, value, unit, analyte.plausible, analyte.canonical_unit)


def read_bare(name: str, value: float) -> Reading:
    """Read a bare number whose unit is in its name, such as `weight_kg`.

    Zero and negative numbers are never used. A number that is impossible in its unit but usual in another one often
    met (a height in metres, a temperature in °F, a QT interval in seconds) is a doubt about the unit.

    Parameters
    ----------
    name: a key of `VITALS`; any other is a fault of the caller (KeyError).
    value: the number as sent, in the unit of its name.

    >>> read_bare("weight_kg", 48).value, read_bare("weight_kg", 640).doubt
    (48.0, 'value-implausible')
    >>> read_bare("height_cm", 1.62).candidates
    ('m',)
    """
    vital = VITALS[name]
    if math.isfinite(value) and value > 0:
        if _within(value, vital.plausible):
            return Reading(float(value))
        if candidates := _other_units(vital, value):
            return _bare_suspect(vital, value, candidates)
    return _implausible(name, value, vital.unit, vital.plausible, vital.unit)


def _other_units(vital: Vital, value: float) -> tuple[str, ...]:
    return tuple(u for u, (factor, offset) in vital.others.items() if _within((value - offset) * factor, vital.usual))


def _bare_suspect(vital: Vital, value: float, candidates: tuple[str, ...]) -> Reading:
    low, high = vital.plausible
    return Reading(
        None,
        UNIT_SUSPECT,
        f"{vital.name} {value:g} is not used: it is not possible in {vital.unit}, but is usual in {_or(candidates)}. "
        f"Expected {low:g} to {high:g} {vital.unit}. Convert it and send again.",
        candidates,
    )

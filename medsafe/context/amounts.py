"""How much an order gives: its unit read, tablets and millilitres counted through their strength, the day added up.

A dose in a unit that can't be read, of a product whose strength is not told, or said twice in ways that disagree is no
dose: the answer names what is wrong instead. Nothing is taken for granted, not even that 5 mL hold five times a strength.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

from medsafe.identity.text import Strength, fold, tokens
from medsafe.model.case import Order
from medsafe.model.vocabulary import CONTAINERS, COUNT_UNITS, MASS_MG, OTHER_UNITS

# In any unit of dose; the largest real ones are some ten million units a day.
IMPOSSIBLE_AMOUNT = 1e9
# How far "times a day" and "every so many hours" may be apart and still say the same: 0.33 a day is every 72 hours.
SAME_FREQUENCY = 0.1
# What is swallowed or injected at once has no rate an hour; "mg/day" and "mg/24h" are amounts of a day by any route.
NEVER_BY_THE_HOUR = frozenset({"oral", "sublingual", "buccal", "oromucosal", "rectal", "intramuscular"})
VOLUMES_ML = {"mL": 1.0, "L": 1000.0}
BODY = {"kg": "kg", "kilogram": "kg", "m2": "m2", "m^2": "m2", "sqm": "m2", "sq m": "m2", "bsa": "m2"}
_BETWEEN = re.compile(r"\s*/\s*|\s+(?:per|over|in|a)\s+")
_TIME = re.compile(r"(\d+(?:\.\d+)?)?\s*(h|hrs?|hours?|d|days?|min|mins|minutes?)")
_TIME_H = {"h": 1.0, "d": 24.0, "m": 1 / 60}
_PER_ML = re.compile(r"(?:\bper|\bin|/)\s*(\d+(?:\.\d+)?)?\s*(?:mls?|millilit(?:re|er)s?)\b")


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of dose: what is counted, whether by body weight or surface, and the hours it is given over."""

    base: str
    body: str = ""
    hours: float | None = None


@dataclass(frozen=True, slots=True)
class Dose:
    """One ingredient's dose in the unit of its record, or what is wrong with it and where."""

    single: float | None = None
    daily: float | None = None
    is_rate: bool = False
    problem: str = ""
    code: str = "missing-data"
    part: str = "dose"


@dataclass(frozen=True, slots=True)
class Part:
    """One ingredient of an order: its place, what the name said of its strength, and the size of the patient."""

    wanted: str
    position: int = 0
    count: int = 1
    known: Strength | None = None
    patch_rate: bool = False
    size: Mapping[str, float] = field(default_factory=dict)


def _base(text: str) -> str:
    """A unit's one spelling: those of volume and of activity have several."""
    return OTHER_UNITS.get(text, text)


@lru_cache(maxsize=1024)
def read_unit(text: str) -> Unit:
    """A unit of dose as written.

    >>> read_unit("µg/kg/min"), read_unit("mg over 24 hours")
    (Unit(base='μg', body='kg', hours=0.016666666666666666), Unit(base='mg', body='', hours=24.0))
    """
    plain = unicodedata.normalize("NFKC", text).casefold().replace("(s)", "")
    plain = " ".join(re.sub(r"[\[\]{}.]", "", plain).split()) if not re.search(r"\d\.\d", plain) else plain.strip()
    base, *parts = _BETWEEN.split(plain)
    unit = Unit(_base(base))
    for part in parts:
        time = _TIME.fullmatch(part)
        if part in BODY and not unit.body:
            unit = replace(unit, body=BODY[part])
        elif time and unit.hours is None and float(time[1] or 1) > 0:
            unit = replace(unit, hours=float(time[1] or 1) * _TIME_H[time[2][0]])
        elif part != "dose":
            return Unit(plain)
    return unit


def same_unit(value: float, unit: str, wanted: str) -> float | None:
    """Bring a dose into the wanted unit, or None when the two don't measure the same thing.

    >>> same_unit(500, "mcg", "mg")
    0.5
    """
    unit, wanted = unit.strip().casefold(), wanted.strip().casefold()
    if unit in MASS_MG and wanted in MASS_MG:
        return value * MASS_MG[unit] / MASS_MG[wanted]
    if _base(unit) == _base(wanted):
        return value
    return None


def per_day(order: Order) -> float | None:
    """How many doses a day an order allows at most, or None when it doesn't say."""
    if order.prn and order.max_times_per_day is not None:
        return order.max_times_per_day
    if order.times_per_day is not None:
        return order.times_per_day
    if order.interval_h:
        return 24.0 / order.interval_h
    return order.max_times_per_day


def contradicts(order: Order) -> bool:
    """Whether a regular order says two different things of how often it is given."""
    if order.prn or order.times_per_day is None or not order.interval_h:
        return False
    share = order.times_per_day * order.interval_h / 24.0
    return not 1 / (1 + SAME_FREQUENCY) <= share <= 1 + SAME_FREQUENCY


def most_often_h(order: Order) -> float | None:
    """Hours between two doses; where an order says it twice, the shorter."""
    said = (order.interval_h, 24.0 / order.times_per_day if order.times_per_day else None)
    return min((hours for hours in said if hours), default=None)


def read_strengths(text: str) -> tuple[Strength, ...]:
    """The amounts that a strength names, one for each ingredient; a volume at the end holds for all of them.

    >>> [str(s) for s in read_strengths("15 mg/120 mg per 5 mL")]
    ['15 mg/5 ml', '120 mg/5 ml']
    """
    folded = fold(text)
    found = tuple(s for token in tokens(folded) for s in token.strengths if s.unit)
    volume = None if any(s.per_unit for s in found) else _PER_ML.search(folded)
    return tuple(replace(s, per_value=float(volume[1] or 1), per_unit="ml") for s in found) if volume else found


def _held(unit: str, strength: Strength, worn_h: float | None) -> float | None:
    """What one tablet, millilitre or patch holds, in the strength's own unit; None where the strength doesn't tell."""
    value, per, each = strength.value, strength.per_unit, strength.per_value or 1.0
    volume = {"ml": 1.0, "l": 1000.0}.get(per or "")
    if unit in VOLUMES_ML:
        return value / each / volume * VOLUMES_ML[unit] if volume else None
    if unit.startswith(("drop", "gtt")):
        return value / each if per == "drop" else None
    if volume:
        return value if unit in CONTAINERS and each != 1.0 else None
    if per in ("h", "day", "min"):
        hours = each * {"h": 1.0, "day": 24.0, "min": 1 / 60}[per]
        return value * (worn_h or hours) / hours
    return value / each


def _by_volume(strength: Strength) -> Strength:
    """A percentage or a ratio of a liquid as weight in volume: 1 % is 10 mg/mL, 1 in 1,000 is 1 mg/mL."""
    if strength.unit == "%":
        return Strength(strength.value * 10.0, "mg", 1.0, "ml")
    if strength.unit == "part" and strength.per_value:
        return Strength(strength.value * 1000.0 / strength.per_value, "mg", 1.0, "ml")
    return strength


def _counted(order: Order, unit: str, part: Part) -> tuple[float, str] | str:
    """Amount and unit of one ingredient of what is counted in tablets, millilitres or sprays, or what is wrong."""
    assert order.dose is not None
    found = read_strengths(order.drug.strength)
    if len(found) > part.count > 1 or (part.count == 1 and len({s.value / (s.per_value or 1.0) for s in found}) > 1):
        return "the strength names more amounts than there are ingredients"
    strength = found[part.position] if part.position < len(found) else part.known
    strength = _by_volume(strength) if strength and unit in VOLUMES_ML else strength
    held = _held(unit, strength, most_often_h(order)) if strength else None
    if strength is None or held is None:
        return f"what one {order.unit} holds is not given"
    return held * order.dose, strength.unit


def _patch_dose(order: Order, unit: Unit, part: Part) -> Dose:
    """Dose of patches that are named by their rate: so many patches of so much an hour, worn day and night."""
    assert order.dose is not None
    if unit.base not in COUNT_UNITS:
        wrong = f"a patch is ordered by its rate an hour, and {order.unit!r} is none"
        return Dose(problem=wrong, code="unit-suspect", part="unit")
    found = read_strengths(order.drug.strength)
    strength = found[0] if found else part.known
    rate = same_unit(strength.value, strength.unit, part.wanted) if strength else None
    if rate is None:
        return Dose(problem="the strength of one of the patches is not given", part="drug.strength")
    return Dose(None, rate * order.dose * 24.0, True)


def _missing(order: Order) -> Dose | None:
    if order.dose is None:
        return Dose(problem="the dose is missing")
    if not order.unit:
        return Dose(problem="the dose has no unit", code="unit-suspect", part="unit")
    return None


def read_dose(order: Order, part: Part) -> Dose:
    """The dose of one ingredient of an order, in the unit of its record.

    Parameters
    ----------
    order: as sent.
    part: which ingredient, the unit wanted, and the patient's weight (kg) and surface (m²) where they are known.
    """
    wrong = _missing(order)
    dose = wrong or _with_unit(order, read_unit(order.unit or ""), part)
    if max(dose.single or 0.0, dose.daily or 0.0) < IMPOSSIBLE_AMOUNT:
        return dose
    return Dose(problem="no dose is so large", code="value-implausible")


def _with_unit(order: Order, unit: Unit, part: Part) -> Dose:
    assert order.dose is not None
    if unit.body and unit.body not in part.size:
        asked = "weight" if unit.body == "kg" else "weight and height"
        return Dose(problem=f"a dose in {order.unit} needs the patient's {asked}", part="unit")
    if part.patch_rate and unit.hours is None:
        return _patch_dose(order, unit, part)
    amount: tuple[float, str] | str = (order.dose, unit.base)
    if unit.base in COUNT_UNITS or (unit.base in VOLUMES_ML and part.wanted not in VOLUMES_ML):
        amount = _counted(order, unit.base, part)
    elif part.position > 0 and unit.hours is None:
        known = part.known
        amount = (known.value, known.unit) if known else "the dose of this component is not given"
    if isinstance(amount, str):
        return Dose(problem=amount, part="drug.strength")
    given = same_unit(amount[0] * part.size.get(unit.body, 1.0), amount[1], part.wanted)
    return _timed(order, unit, given, part.wanted)


def _timed(order: Order, unit: Unit, given: float | None, wanted: str) -> Dose:
    if given is None:
        wrong = f"the unit {order.unit!r} can't be brought to {wanted}"
        return Dose(problem=wrong, code="unit-suspect", part="unit")
    if unit.hours is not None and unit.hours < 24.0 and order.route in NEVER_BY_THE_HOUR:
        wrong = f"a rate of {order.unit} can't be given by the {order.route} route"
        return Dose(problem=wrong, code="unit-suspect", part="unit")
    if unit.hours is not None:
        return Dose(None, given * 24.0 / unit.hours, True)
    if contradicts(order):
        wrong = f"{order.times_per_day:g} times a day and every {order.interval_h:g} h do not agree"
        return Dose(given, None, problem=wrong, part="times_per_day")
    times = per_day(order)
    if times is None:
        return Dose(given, None, problem="how often it is given is missing", part="times_per_day")
    return Dose(given, given * times)

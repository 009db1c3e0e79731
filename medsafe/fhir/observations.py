"""Observations → laboratory values and vital signs, the latest of each, by LOINC code.

Units are handed on as given: the core judges them. Only vital signs are brought to the unit of their name, by exact factors.
A value that is coded as one of ours but can't be read is a notice; a code that is none of ours is nobody's loss.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from medsafe.fhir.shape import Json, any_of, codings, concept_word, day, mapping, name_of, number, objects, words
from medsafe.model.case import Measurement
from medsafe.model.findings import Notice
from medsafe.model.quantities import normalise_unit
from medsafe.model.vocabulary import shown_name

# Total, not ionised or free; serum, plasma or whole blood; glucose by any specimen that patients are treated by.
LAB_CODES = {
    "creatinine": ("2160-0", "38483-4", "14682-9", "59826-8"),
    "cystatin_c": ("33863-2",),
    "bilirubin": ("1975-2", "14631-6", "42719-5"),
    "albumin": ("1751-7", "61151-7", "61152-5", "2862-1"),
    "inr": ("6301-6", "34714-6", "38875-1"),
    "ast": ("1920-8", "30239-8"),
    "alt": ("1742-6", "1743-4", "1744-2"),
    "alp": ("6768-6",),
    "platelets": ("777-3", "26515-7", "778-1"),
    "neutrophils": ("751-8", "26499-4", "753-4"),
    "haemoglobin": ("718-7", "20509-6", "59260-0"),
    "sodium": ("2951-2", "2947-0"),
    "potassium": ("2823-3", "6298-4", "75940-7"),
    "magnesium": ("19123-9", "2601-3"),
    "calcium": ("17861-6", "2000-8", "49765-1"),
    "phosphate": ("2777-1", "14879-1"),
    "glucose": ("2345-7", "2339-0", "14749-6", "15074-8", "2340-8", "41653-7"),
    # Urea nitrogen by mass, urea by moles; urea by mass would read as twice the nitrogen.
    "urea": ("3094-0", "6299-2", "14937-7", "22664-7"),
    "urine_acr": ("9318-7", "14959-1", "32294-1"),
    "crp": ("1988-5", "30522-7"),
    "lactate": ("2524-7", "32693-4", "2519-7", "2518-9"),
    "uric_acid": ("3084-1", "14933-6"),
    "ammonia": ("16362-6",),
    "tsh": ("3016-3", "11580-8", "11579-0"),
    "digoxin_level": ("10535-3", "14698-5"),
    "lithium_level": ("14334-7",),
    "phenytoin_level": ("3968-5",),
    "carbamazepine_level": ("3432-2",),
    "valproate_level": ("4086-5",),
}
VITAL_CODES = {
    "weight_kg": ("29463-7", "3141-9", "3142-7"),
    "height_cm": ("8302-2", "3137-7", "3138-5"),
    "qtc_ms": ("8636-3",),
    "qt_ms": ("8634-8",),
    "heart_rate_bpm": ("8867-4", "8889-8"),
    "respiratory_rate": ("9279-1",),
    "temperature_c": ("8310-5", "8331-1"),
    "systolic_bp_mmhg": ("8480-6",),
    "spo2_percent": ("59408-5", "2708-6"),
}
BY_CODE: Mapping[str, str] = {
    code: name for table in (LAB_CODES, VITAL_CODES) for name, listed in table.items() for code in listed
}
# Unit as written, folded → (factor, offset) to the unit in the name of the vital sign.
VITAL_UNITS: Mapping[str, Mapping[str, tuple[float, float]]] = {
    "weight_kg": {
        "kg": (1, 0),
        "g": (0.001, 0),
        "[lb_av]": (0.45359237, 0),
        "lb": (0.45359237, 0),
        "lbs": (0.45359237, 0),
    },
    "height_cm": {"cm": (1, 0), "m": (100, 0), "[in_i]": (2.54, 0), "in": (2.54, 0)},
    "qtc_ms": {"ms": (1, 0), "msec": (1, 0), "s": (1000, 0)},
    "qt_ms": {"ms": (1, 0), "msec": (1, 0), "s": (1000, 0)},
    "heart_rate_bpm": {
        "/min": (1, 0),
        "bpm": (1, 0),
        "{beats}/min": (1, 0),
        "beats/minute": (1, 0),
        "beats/min": (1, 0),
    },
    "respiratory_rate": {"/min": (1, 0), "{breaths}/min": (1, 0), "breaths/minute": (1, 0), "breaths/min": (1, 0)},
    "temperature_c": {"cel": (1, 0), "°c": (1, 0), "c": (1, 0), "[degf]": (5 / 9, 32), "°f": (5 / 9, 32)},
    "systolic_bp_mmhg": {"mm[hg]": (1, 0), "mmhg": (1, 0)},
    "spo2_percent": {"%": (1, 0)},
}
# For how many days a sign speaks of the present. The house's own choice, to be revised by the pharmacists, as the ages of
# laboratory values are; after it a sign that passes is not used, one that lasts (weight, height) is used and its age told.
PASSING_DAYS = {
    "qtc_ms": 90,
    "qt_ms": 90,
    "heart_rate_bpm": 7,
    "systolic_bp_mmhg": 30,
    "respiratory_rate": 2,
    "temperature_c": 2,
    "spo2_percent": 2,
}
LASTING_DAYS = {"weight_kg": 90}
UNUSABLE = frozenset({"entered-in-error", "cancelled", "registered"})


@dataclass(frozen=True, slots=True)
class Reading:
    """One value as reported."""

    name: str
    value: float
    unit: str | None
    taken_on: date | None
    upper_limit: float | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class Values:
    """The latest value of each quantity; `dates` tells of the vital signs when they were taken."""

    labs: Mapping[str, Measurement]
    vitals: Mapping[str, float]
    dates: Mapping[str, date]
    notices: tuple[Notice, ...]


def _name(coded: Json) -> str:
    return next((BY_CODE[c.code] for c in codings(coded.get("code")) if c.code in BY_CODE and _is_loinc(c.system)), "")


def _is_loinc(system: str) -> bool:
    return not system or "loinc" in system.casefold() or system == "urn:oid:2.16.840.1.113883.6.1"


def _unit(quantity: Json) -> str | None:
    """The UCUM code when it is a unit that is known, else the unit as shown."""
    code, shown = words(quantity.get("code")), words(quantity.get("unit"))
    if code and (not shown or normalise_unit(code) is not None):
        return code
    return shown or code or None


def taken_on(observation: Json) -> date | None:
    """The day a value is of."""
    period = mapping(observation.get("effectivePeriod"))
    return (
        day(any_of(observation, "effectiveDateTime", "effectiveInstant"))
        or day(period.get("end"))
        or day(period.get("start"))
        or day(observation.get("issued"))
    )


def _upper(coded: Json, unit: str | None) -> float | None:
    for limits in objects(coded.get("referenceRange")):
        high = mapping(limits.get("high"))
        if number(high.get("value")) is not None and _unit(high) in (unit, None):
            return number(high.get("value"))
    return None


def _parts(observation: Json) -> Iterator[Json]:
    """The observation itself and its components."""
    yield observation
    yield from objects(observation.get("component"))


def _unreadable(name: str, source: str, why: str) -> Notice:
    return Notice(
        "unit-suspect",
        f"{source}.{name}",
        f"{source}: {shown_name(name)} {why}; it is not used.",
        None,
        ("all checks that use it",),
    )


def _value(part: Json, name: str, source: str) -> tuple[float, str | None, str] | Notice | None:
    """(value, unit, comparator) of an observation or component; None where it holds no value at all."""
    quantity = part.get("valueQuantity")
    if quantity is None and not isinstance(any_of(part, "valueInteger", "valueDecimal"), bool):
        bare = number(any_of(part, "valueInteger", "valueDecimal"))
        if bare is not None:
            return bare, None, ""
    if quantity is None:
        stated = [key for key in part if key.startswith("value")]
        return _unreadable(name, source, "is not a quantity") if stated else None
    value = number(mapping(quantity).get("value"))
    if value is None:
        return _unreadable(name, source, "has no number")
    return value, _unit(mapping(quantity)), words(mapping(quantity).get("comparator"))


def _compared(reading: Reading, comparator: str) -> Notice:
    message = f"The {shown_name(reading.name)} is reported as {comparator}{reading.value:g}; it was read as {reading.value:g}."
    return Notice("missing-data", f"{reading.source}.comparator", message, None, (), limits=False)


def readings(observations: Iterable[Json]) -> tuple[list[Reading], list[Notice]]:
    """Every value of ours among the observations, and what could not be read."""
    found: list[Reading] = []
    notices: list[Notice] = []
    for observation in observations:
        if concept_word(observation.get("status")) in UNUSABLE:
            continue
        source, day_taken = name_of(observation), taken_on(observation)
        for part in _parts(observation):
            name = _name(part)
            read = _value(part, name, source) if name else None
            if isinstance(read, Notice):
                notices.append(read)
            elif read is not None:
                reading = Reading(name, read[0], read[1], day_taken, _upper(part, read[1]), source)
                found.append(reading)
                notices += [_compared(reading, read[2])] if read[2] else []
    return found, notices


def _latest_first(listed: list[Reading]) -> list[Reading]:
    return sorted(listed, key=lambda r: (r.taken_on or date.min, r.source, r.value), reverse=True)


def _labs(found: list[Reading]) -> dict[str, Measurement]:
    labs: dict[str, Measurement] = {}
    for name in LAB_CODES:
        listed = _latest_first([r for r in found if r.name == name])
        if not listed:
            continue
        labs[name] = _measurement(listed[0])
        if name == "creatinine":
            earlier = [r for r in listed if r.taken_on and listed[0].taken_on and r.taken_on < listed[0].taken_on]
            labs |= {"previous_creatinine": _measurement(earlier[0])} if earlier else {}
    return labs


def _measurement(reading: Reading) -> Measurement:
    return Measurement(reading.value, reading.unit, reading.taken_on, reading.upper_limit)


def _vital(reading: Reading) -> float | None:
    unit = re.sub(r"\s", "", reading.unit or "").casefold()
    factor = VITAL_UNITS[reading.name].get(unit)
    return round((reading.value - factor[1]) * factor[0], 6) if factor else None


def _age(reading: Reading, as_of: date | None) -> int:
    return (as_of - reading.taken_on).days if as_of and reading.taken_on else 0


def _old(reading: Reading, days: int, used: bool) -> Notice:
    verb = "it was used all the same: ask for a new one" if used else "it says nothing of the present and was not used"
    message = f"The {shown_name(reading.name)} was taken {days} days before this check; {verb}."
    return Notice("stale-lab", f"patient.{reading.name}", message, str(reading.taken_on), (reading.name,), limits=used)


def _vitals(found: list[Reading], as_of: date | None) -> tuple[dict[str, float], dict[str, date], list[Notice]]:
    vitals: dict[str, float] = {}
    dates: dict[str, date] = {}
    notices: list[Notice] = []
    for name in VITAL_CODES:
        listed = _latest_first([r for r in found if r.name == name])
        if not listed:
            continue
        latest, days = listed[0], _age(listed[0], as_of)
        value = _vital(latest)
        if value is None:
            notices.append(_unreadable(name, latest.source, f"{latest.value:g} has {_shown_unit(latest)}"))
        elif days > PASSING_DAYS.get(name, days):
            notices.append(_old(latest, days, used=False))
        else:
            notices += [_old(latest, days, used=True)] if days > LASTING_DAYS.get(name, days) else []
            vitals[name] = value
            dates |= {name: latest.taken_on} if latest.taken_on else {}
    return vitals, dates, notices


def _shown_unit(reading: Reading) -> str:
    return f"the unit “{reading.unit}”, which is not one of its units" if reading.unit else "no unit"


def read_values(observations: Iterable[Json], as_of: date | None) -> Values:
    """The latest value of every quantity of ours."""
    found, notices = readings(observations)
    vitals, dates, more = _vitals(found, as_of)
    return Values(_labs(found), vitals, dates, (*notices, *more))

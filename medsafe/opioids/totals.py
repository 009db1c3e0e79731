"""Daily oral morphine equivalent of a regimen, line by line, from a named conversion table.

A factor that is not in the table is reported as unknown and never counted as zero. Totals are for weighing risk; they are
no dose for a new opioid.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from medsafe.model.knowledge import ConversionRow
from medsafe.model.medicine import Medicine
from medsafe.model.vocabulary import MASS_MG, ROUTE_INCLUDES

TO_MORPHINE = ("to-morphine", "both")
ANTAGONISTS = ("antagonist", "peripheral-antagonist")


@dataclass(frozen=True, slots=True)
class Line:
    """One order's share of the total, with the working; `ome_mg_per_day` is None where no factor is known."""

    order: str
    drug: str
    ome_mg_per_day: float | None
    working: str
    as_needed: bool = False
    new: bool = False
    ome_mg_per_dose: float | None = None
    use_known: bool = True

    def shown(self) -> dict[str, Any]:
        return {
            "order": self.order,
            "drug": self.drug,
            "ome_mg_per_day": rounded(self.ome_mg_per_day),
            "ome_mg_per_dose": rounded(self.ome_mg_per_dose),
            "working": self.working,
        }


@dataclass(frozen=True, slots=True)
class Published:
    """The values that tables give for one opioid by one route where they do not agree, the one used among them."""

    drug: str
    route: str
    unit: str
    used: float | None
    values: tuple[tuple[float, str, str], ...]

    def shown(self) -> dict[str, Any]:
        listed = [{"factor": factor, "table": table, "source": source} for factor, table, source in self.values]
        return {"drug": self.drug, "route": self.route, "unit": self.unit, "used": self.used, "published": listed}


def rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


def is_agonist(medicine: Medicine) -> bool:
    """Whether the medicine adds to the opioid effect in the body."""
    opioid = medicine.drug.opioid
    return opioid is not None and opioid.action not in ANTAGONISTS and medicine.systemic


def row_for(
    rows: Iterable[ConversionRow], table: str, opioid: str, route: str | None, amount: float
) -> ConversionRow | None:
    """The row that turns this opioid by this route, at this daily amount, into oral morphine."""
    wanted = {route, ROUTE_INCLUDES.get(route or "", route)}
    for row in rows:
        if row.table == table and row.opioid == opioid and row.route in wanted and row.direction in TO_MORPHINE:
            above = row.band_from is None or amount >= row.band_from
            if above and (row.band_below is None or amount < row.band_below):
                return row
    return None


def in_row_unit(daily: float, dose_unit: str, row_unit: str) -> float | None:
    """A daily dose in the unit of a row: mg/day, mcg/day or mcg/h.

    >>> in_row_unit(1200, "mcg", "mcg/h")
    50.0
    """
    mass, _, per = row_unit.partition("/")
    if dose_unit not in MASS_MG or mass not in MASS_MG:
        return None
    amount = daily * MASS_MG[dose_unit] / MASS_MG[mass]
    return amount / 24.0 if per == "h" else amount


def taken_per_day(medicine: Medicine) -> tuple[float | None, str]:
    """What is taken in a day and how that is known: doses given for as-needed orders, else the most allowed."""
    unit = medicine.drug.dose_unit
    if medicine.prn and medicine.single_dose is not None and medicine.doses_last_24h is not None:
        daily = medicine.single_dose * medicine.doses_last_24h
        return daily, f"{medicine.single_dose:g} {unit} x {medicine.doses_last_24h:g} doses taken in the last 24 h"
    if medicine.daily_dose is None:
        return None, "how much is taken in a day is not known"
    how = " (the most allowed as needed)" if medicine.prn else ""
    return medicine.daily_dose, f"{medicine.daily_dose:g} {unit} a day{how}"


def _line(medicine: Medicine, rows: tuple[ConversionRow, ...], table: str, whole_day: Mapping[str, float]) -> Line:
    daily, how = taken_per_day(medicine)
    name = medicine.drug.name
    known = not medicine.prn or medicine.doses_last_24h is not None
    if daily is None:
        text = f"{name}: {how}: unknown, not zero"
        return Line(medicine.order, medicine.id, None, text, medicine.prn, medicine.new, None, known)
    mg_all = whole_day[medicine.id] * MASS_MG.get(medicine.drug.dose_unit, 1.0)
    row = row_for(rows, table, medicine.id, medicine.route, mg_all)
    amount = in_row_unit(daily, medicine.drug.dose_unit, row.unit) if row else None
    if row is None or amount is None:
        text = f"{name} {medicine.route or 'unknown route'}: table {table} has no factor: unknown, not zero"
        return Line(medicine.order, medicine.id, None, text, medicine.prn, medicine.new, None, known)
    ome = amount * row.factor
    unit = row.unit.replace("/day", "")
    banded = row.band_from is not None or row.band_below is not None
    band = f" (the factor for {mg_all:g} mg of it in the whole day)" if banded else ""
    text = f"{name}: {how} = {amount:g} {unit} x {row.factor:g}{band} = {ome:.1f} mg oral morphine a day"
    one = in_row_unit(medicine.single_dose, medicine.drug.dose_unit, row.unit) if medicine.single_dose else None
    per_dose = one * row.factor if one is not None else None
    return Line(medicine.order, medicine.id, ome, text, medicine.prn, medicine.new, per_dose, known)


def lines_of(medicines: Iterable[Medicine], rows: tuple[ConversionRow, ...], table: str) -> tuple[Line, ...]:
    """One line for each order of an opioid agonist; banded tables look at the day's total of the drug."""
    agonists = [m for m in medicines if is_agonist(m)]
    whole_day: dict[str, float] = {}
    for medicine in agonists:
        whole_day[medicine.id] = whole_day.get(medicine.id, 0.0) + (taken_per_day(medicine)[0] or 0.0)
    return tuple(_line(medicine, rows, table, whole_day) for medicine in agonists)


def lowest_total(medicines: Iterable[Medicine], rows: tuple[ConversionRow, ...]) -> float | None:
    """The daily oral morphine by the lowest value that any table gives for each opioid; None where one has none."""
    tables = dict.fromkeys(row.table for row in rows)
    sums = 0.0
    for medicine in medicines:
        known = [line.ome_mg_per_day for table in tables for line in lines_of([medicine], rows, table)]
        values = [value for value in known if value is not None]
        if not values:
            return None
        sums += min(values)
    return sums


def total(lines: Iterable[Line]) -> float | None:
    """Sum of the known lines; None when there are lines and none of them is known."""
    known = [line.ome_mg_per_day for line in lines]
    values = [value for value in known if value is not None]
    if known and not values:
        return None
    return sum(values)


def _published(
    medicine: Medicine, rows: tuple[ConversionRow, ...], table: str, whole_day_mg: float
) -> Published | None:
    """What every table says of this opioid by this route, when they differ."""
    tables = dict.fromkeys(row.table for row in rows)
    found = [row for name in tables if (row := row_for(rows, name, medicine.id, medicine.route, whole_day_mg))]
    if len({row.factor for row in found}) < 2:
        return None
    used = next((row.factor for row in found if row.table == table), None)
    values = tuple(sorted((row.factor, row.table, row.source) for row in found))
    return Published(medicine.id, medicine.route or "", found[0].unit, used, values)


def disagreements(medicines: Iterable[Medicine], rows: tuple[ConversionRow, ...], table: str) -> tuple[Published, ...]:
    """Where published tables differ over an opioid that is taken: all the values side by side."""
    agonists = [m for m in medicines if is_agonist(m)]
    found: dict[tuple[str, str], Published] = {}
    for medicine in agonists:
        whole = sum(taken_per_day(m)[0] or 0.0 for m in agonists if m.id == medicine.id)
        item = _published(medicine, rows, table, whole * MASS_MG.get(medicine.drug.dose_unit, 1.0))
        if item is not None:
            found.setdefault((item.drug, item.route), item)
    return tuple(found[key] for key in sorted(found))

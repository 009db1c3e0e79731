"""From a daily oral morphine equivalent to an order of another opioid: equianalgesic dose, reduction, rounding, rescue.

Tables that were made for one direction (methadone, fentanyl patch) are used in that direction only. Nothing here knows an
opioid by name: which rows are bands and which are ratios is data.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations_with_replacement
from math import floor
from typing import Any

from medsafe.model.drugs import Drug, Strength
from medsafe.model.knowledge import ConversionRow
from medsafe.model.vocabulary import MASS_MG, ROUTE_INCLUDES
from medsafe.opioids.totals import Published, row_for

FROM_MORPHINE = ("from-morphine", "both")


@dataclass(frozen=True, slots=True)
class Target:
    """The opioid to convert to."""

    drug: Drug
    route: str
    form: str


@dataclass(frozen=True, slots=True)
class Habits:
    """What the policy says of how opioids are given: one rescue dose as a share of the daily dose, the most of them in a
    day, and the half-life in hours from which a short-acting opioid is given four and not six times a day."""

    rescue_share: float
    rescues_per_day: int
    four_times_from_half_life_h: float


@dataclass(frozen=True, slots=True)
class Conversion:
    """A conversion with its working; `refused` says why there is none."""

    equianalgesic: float | None = None
    unit: str = "mg"
    reduction: float = 0.0
    suggested: float | None = None
    order: dict[str, Any] | None = None
    breakthrough: dict[str, Any] | None = None
    working: tuple[str, ...] = ()
    refused: str = ""
    one_way: bool = False
    sources: tuple[str, ...] = ()
    base: float = 0.0


def _fits(row: ConversionRow, table: str, target: Target, ome: float) -> bool:
    if row.table != table or row.opioid != target.drug.id or row.direction not in FROM_MORPHINE:
        return False
    if row.route not in (target.route, ROUTE_INCLUDES.get(target.route, target.route)):
        return False
    return (row.band_from is None or ome >= row.band_from) and (row.band_below is None or ome < row.band_below)


def row_from_morphine(
    rows: Iterable[ConversionRow], table: str, target: Target, ome_mg_per_day: float
) -> ConversionRow | None:
    """The row that gives this opioid for this daily morphine equivalent; bands before single factors."""
    fitting = [row for row in rows if _fits(row, table, target, ome_mg_per_day)]
    return max(fitting, key=lambda row: row.direction == "from-morphine", default=None)


def equianalgesic(row: ConversionRow, ome_mg_per_day: float) -> float:
    """Daily amount in the row's unit (mg/day, mcg/day, or mcg/h of a patch)."""
    if row.meaning == "dose-in-band":
        return row.factor
    return ome_mg_per_day / row.factor


def strengths_of(target: Target) -> Strength | None:
    """The strengths on record for this route, of this form where several are.

    Short-acting forms of one route count together: a dose is made of tablets, capsules or solution alike. Where the form
    is not said, a modified-release form is never meant.
    """
    route = ROUTE_INCLUDES.get(target.route, target.route)
    found = [s for s in target.drug.strengths if s.route in (target.route, route) and s.unit]
    for slow in ("modified-release", "patch"):
        if slow in target.form:
            return next((s for s in found if slow in s.form), next(iter(found), None))
    short = [s for s in found if "modified-release" not in s.form and s.form != "patch"]
    units = {s.unit for s in short}
    if len(units) != 1:
        return next(iter(short or found), None)
    named = [s for s in short if target.form and target.form in s.form] or short
    values = tuple(sorted({v for s in named for v in s.values}))
    return Strength(target.route, "/".join(dict.fromkeys(s.form for s in named)), values, units.pop())


def made_of(value: float, strengths: Strength) -> tuple[float, ...]:
    """Every dose near `value` that a few whole units make: two short-acting ones, three of modified release.

    Units far apart are not put together: nobody adds a 1 mg crumb to 30 mg.
    """
    most, apart = (3, 8.0) if "modified-release" in strengths.form else (2, 4.0)
    units = [v for v in strengths.values if v >= value / 8.001]
    some = (u for count in range(1, most + 1) for u in combinations_with_replacement(units, count))
    doses = {sum(u) for u in some if max(u) <= apart * min(u)}
    whole = floor(value / max(strengths.values)) * max(strengths.values)
    return tuple(sorted(doses | ({whole} if whole else set())))


def round_down(value: float, strengths: Strength | None) -> float:
    """The largest dose not above `value` that whole products make; half the smallest short-acting one is the least.

    >>> round_down(37, Strength("oral", "tablet", (5, 10, 30), "mg"))
    30.0
    >>> round_down(45, None), round_down(2, None)
    (45.0, 2.0)
    """
    if strengths is None or not strengths.values:
        step = 1.0 if value >= 20 else 0.5 if value >= 5 else 0.1 if value >= 1 else 0.05
        return round(floor(value * 1.0001 / step) * step, 4) or value
    if strengths.form == "patch":
        smaller = [v for v in strengths.values if v <= value * 1.001]
        return float(max(smaller, default=0.0))
    smallest = min(strengths.values)
    if value * 1.001 >= smallest:
        return float(max(dose for dose in (smallest, *made_of(value, strengths)) if dose <= value * 1.001))
    return smallest / 2 if value * 1.001 >= smallest / 2 and "modified" not in strengths.form else 0.0


def next_up(current: float, strengths: Strength | None) -> float | None:
    """The next dose above `current` that whole products make."""
    if strengths is None or not strengths.values:
        return None
    if strengths.form == "patch":
        return min((float(v) for v in strengths.values if v > current), default=None)
    return min((dose for dose in made_of(current, strengths) if dose > current * 1.05), default=None)


def patch_interval_h(drug: Drug, mcg_per_h: float) -> float:
    """Hours for which a patch of this strength is worn: the interval limit of the drug's patches, else three days."""
    daily = mcg_per_h * 24.0 * MASS_MG["mcg"] / MASS_MG.get(drug.dose_unit, 1.0)
    limits = [
        limit.max
        for limit in drug.dose_limits
        if limit.kind == "interval" and "patch" in limit.scope.forms
        if limit.scope.daily_dose_below is None or daily < limit.scope.daily_dose_below
    ]
    return max(limits, default=72.0)


def _order(target: Target, daily: float, unit: str, times_per_day: float) -> dict[str, Any] | None:
    strengths = strengths_of(target)
    if unit == "mcg/h":
        dose = round_down(daily, strengths or Strength(target.route, "patch", (12, 25, 50, 75, 100), "mcg/h"))
        return (
            {
                "dose": dose,
                "unit": "mcg/h",
                "route": target.route,
                "form": "patch",
                "interval_h": patch_interval_h(target.drug, dose),
            }
            if dose
            else None
        )
    if "infusion" in target.route:
        return {"dose": round_down(daily, None), "unit": f"{unit.split('/')[0]}/24h", "route": target.route}
    mass = unit.split("/")[0]
    single = daily / times_per_day
    if strengths is not None and strengths.unit in MASS_MG:
        single = single * MASS_MG[mass] / MASS_MG[strengths.unit]
        mass = strengths.unit
    dose = round_down(single, strengths)
    return (
        {"dose": dose, "unit": mass, "route": target.route, "form": target.form, "times_per_day": times_per_day}
        if dose
        else None
    )


def daily_of(order: Mapping[str, Any]) -> float:
    """Daily amount of an order in its own unit (a patch: micrograms an hour)."""
    if order["unit"] == "mcg/h" or order["unit"].endswith("/24h"):
        return float(order["dose"])
    return float(order["dose"] * order.get("times_per_day", 1))


def breakthrough_of(target: Target, daily: float, mass: str, habits: Habits) -> dict[str, Any] | None:
    """An as-needed dose of the short-acting form, a share of the daily dose; beside an infusion under the skin or into a vein."""
    route = ROUTE_INCLUDES.get(target.route, target.route) if "infusion" in target.route else target.route
    short = Target(target.drug, route, "")
    strengths = strengths_of(short)
    if strengths is None or "modified" in strengths.form or strengths.form == "patch":
        return None
    value = daily * habits.rescue_share * MASS_MG.get(mass, 1.0) / MASS_MG.get(strengths.unit, 1.0)
    dose = round_down(value, strengths)
    if not dose:
        return None
    return {
        "drug": target.drug.id,
        "dose": dose,
        "unit": strengths.unit,
        "route": route,
        "form": "immediate-release" if route == "oral" else strengths.form,
        "prn": True,
        "max_times_per_day": habits.rescues_per_day,
    }


def times_per_day_for(target: Target, habits: Habits) -> float:
    """Modified release twice a day, everything else every four to six hours."""
    opioid = target.drug.opioid
    if opioid and any(form in target.form for form in opioid.long_acting_forms):
        return 2.0
    half_life = target.drug.half_life_h
    return 4.0 if half_life and half_life >= habits.four_times_from_half_life_h else 6.0


def convert(
    ome_mg_per_day: float,
    target: Target,
    rows: tuple[ConversionRow, ...],
    table: str,
    reduction: float,
    why: str,
    habits: Habits,
    times_per_day: float | None = None,
    most_per_day: float | None = None,
    rescue: bool = True,
) -> Conversion:
    """Turn a daily oral morphine equivalent into an order.

    Parameters
    ----------
    ome_mg_per_day: the daily total to be replaced, mg oral morphine.
    target: opioid, route and form to convert to.
    rows, table: the conversion tables and the one to use.
    reduction: share to take off for incomplete cross-tolerance; not stacked on a one-way table of whole doses.
    why: the reason for that reduction.
    habits: how rescue doses and short-acting doses are given.
    most_per_day: the most of this opioid with which to begin, in the row's unit, whatever the table says.
    rescue: whether this opioid serves for rescue doses at all.

    Returns
    -------
    The conversion with its working, or the reason why it is refused.
    """
    row = row_from_morphine(rows, table, target, ome_mg_per_day)
    if row is None:
        return Conversion(refused=_refusal(rows, table, target, ome_mg_per_day))
    dose = equianalgesic(row, ome_mg_per_day)
    one_way = row.direction == "from-morphine"
    cut = 0.0 if one_way and row.meaning == "dose-in-band" else reduction
    working = [_ratio_text(row, ome_mg_per_day, dose), _cut_text(row, dose, cut, why)]
    after, bounds = _bounded(dose * (1.0 - cut), row, rows, target, ome_mg_per_day, most_per_day)
    order = _order(target, after, row.unit.replace("/day", ""), times_per_day or times_per_day_for(target, habits))
    mass = row.unit.split("/")[0]
    needed = rescue and row.unit.endswith("/day")
    if order is not None:
        bounds = (*bounds, f"rounded down to real strengths: {_order_text(order)}")
    return Conversion(
        dose,
        row.unit,
        cut,
        daily_of(order) if order else None,
        order,
        breakthrough_of(target, after, mass, habits) if needed else None,
        (*working, *bounds),
        ""
        if order
        else f"{after:.3g} {row.unit} of {target.drug.name} is less than the smallest strength on record makes",
        one_way,
        (row.source,),
        ome_mg_per_day,
    )


def _cut_text(row: ConversionRow, dose: float, cut: float, why: str) -> str:
    if cut:
        return f"less {cut:.0%} ({why}) = {dose * (1.0 - cut):.4g} {row.unit}"
    return (
        f"no reduction: {why}" if row.meaning != "dose-in-band" else "no reduction: the one-way table already holds one"
    )


def _bounded(
    after: float,
    row: ConversionRow,
    rows: tuple[ConversionRow, ...],
    target: Target,
    ome: float,
    most: float | None,
) -> tuple[float, tuple[str, ...]]:
    """A dose held down by other one-way tables for the same opioid and by the most with which to begin."""
    working = []
    if row.direction == "from-morphine":
        for other in rows:
            if (
                other.table == row.table
                or other.direction != "from-morphine"
                or not _fits(other, other.table, target, ome)
            ):
                continue
            value = equianalgesic(other, ome)
            if other.unit == row.unit and value < after:
                working.append(f"{other.table} gives {value:.4g} {row.unit}: the lower is taken")
                after = value
    if most is not None and after > most:
        working.append(f"never more than {most:g} {row.unit} to begin with")
        after = most
    return after, tuple(working)


def published_into(
    target: Target, rows: tuple[ConversionRow, ...], table: str, ome_mg_per_day: float
) -> tuple[Published, ...]:
    """What the tables say of this much oral morphine as the target opioid, where they differ."""
    tables = dict.fromkeys(row.table for row in rows)
    found = [row for name in tables if (row := _any_row(rows, name, target, ome_mg_per_day)) is not None]
    doses = {(round(equianalgesic(row, ome_mg_per_day), 2), row.table, row.source) for row in found}
    if len({dose for dose, _, _ in doses}) < 2:
        return ()
    used = next((dose for dose, name, _ in doses if name == table), None)
    return (Published(target.drug.id, target.route, f"{found[0].unit} to begin from", used, tuple(sorted(doses))),)


def _any_row(rows: tuple[ConversionRow, ...], table: str, target: Target, ome: float) -> ConversionRow | None:
    """The row of a table for the target, whichever direction it was made for, but not against a one-way table."""
    into = row_from_morphine(rows, table, target, ome)
    if into is not None:
        return into
    mine = [r for r in rows if r.opioid == target.drug.id and r.direction == "from-morphine"]
    return None if mine else row_for(rows, table, target.drug.id, target.route, 0.0)


def _order_text(order: dict[str, Any]) -> str:
    times = f" {order['times_per_day']:g} times a day" if order.get("times_per_day") else ""
    return f"{order['dose']:g} {order['unit']}{times}"


def _ratio_text(row: ConversionRow, ome: float, dose: float) -> str:
    if row.meaning == "dose-in-band":
        upper = f"below {row.band_below:g}" if row.band_below else "upwards"
        return f"{ome:g} mg oral morphine a day lies in the band from {row.band_from:g} {upper}: {dose:g} {row.unit} ({row.table})"
    return f"{ome:g} mg oral morphine a day / {row.factor:g} = {dose:.4g} {row.unit} ({row.table})"


def _refusal(rows: tuple[ConversionRow, ...], table: str, target: Target, ome: float) -> str:
    name = target.drug.name
    mine = [r for r in rows if r.table == table and r.opioid == target.drug.id]
    by_route = [r for r in mine if r.route in (target.route, ROUTE_INCLUDES.get(target.route, target.route))]
    banded = [r for r in by_route if r.direction in FROM_MORPHINE]
    if banded:
        note = next((f": {r.note}" for r in banded if r.note), "")
        return f"{ome:g} mg oral morphine a day lies outside the bands on record for {name} by the {target.route} route{note}"
    if by_route:
        return (
            f"the factor for {name} by the {target.route} route holds in one direction only: it adds up what is taken "
            "and gives no dose to begin with"
        )
    return f"table {table} has no factor for {name} by the {target.route} route: ask a specialist"

"""What of the opioids that are taken is converted into another one.

Regular doses count, and as-needed doses that were truly given in the last day; what nobody knows to have been taken does not.
An opioid with a table made for one direction is left by a factor published for leaving it, or not at all.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import inf

from medsafe.model.knowledge import ConversionRow
from medsafe.model.medicine import Medicine
from medsafe.opioids.totals import TO_MORPHINE, Line, is_agonist, lines_of, lowest_total

# Tables of these meanings were made to begin an opioid and overestimate when they are turned round.
ONE_WAY = ("dose-in-band", "morphine-to-drug-ratio")


@dataclass(frozen=True, slots=True)
class Base:
    """The daily oral morphine that a conversion starts from, how it was come by, and the lowest that any table gives."""

    ome_mg_per_day: float = 0.0
    counted: str = ""
    working: tuple[str, ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()
    refused: str = ""
    lowest: float | None = None
    sources: tuple[str, ...] = ()


def one_way(rows: Iterable[ConversionRow], opioid: str, route: str | None) -> bool:
    """Whether the table for this opioid by this route was made for one direction; a ratio is one for every route."""
    return any(
        r.opioid == opioid and r.direction == "from-morphine" and r.meaning in ONE_WAY
        for r in rows
        if r.meaning == "morphine-to-drug-ratio" or r.route == route
    )


def leaving(rows: tuple[ConversionRow, ...]) -> tuple[ConversionRow, ...]:
    """The rows by which opioids may be left: without those for adding up of a one-way opioid, with its own for leaving."""
    kept = [r for r in rows if not (r.direction in TO_MORPHINE and one_way(rows, r.opioid, r.route))]
    return (*kept, *(replace(r, direction="to-morphine") for r in rows if r.direction == "away"))


def _why_left_out(medicine: Medicine, rescue_counts: bool) -> str:
    """Why an as-needed order is not counted, or nothing."""
    opioid = medicine.drug.opioid
    if opioid is not None and medicine.route in opioid.tolerant_only_routes:
        return "it is titrated on its own, for attacks of pain, and says little of the regular need"
    if medicine.doses_last_24h is None:
        return "how often it was taken is not given, and the most allowed would overdose"
    return "" if rescue_counts else "signs of toxicity: what was taken on top is not carried over"


def _line_text(line: Line, rows: tuple[ConversionRow, ...], medicine: Medicine) -> str:
    how = "as needed, taken in the last 24 h" if line.as_needed else "regular"
    left = one_way(rows, medicine.id, medicine.route)
    note = " (a factor for leaving it; the table by which it is begun holds in one direction only)" if left else ""
    return f"counted, {how}: {line.working}{note}"


def _refusal(medicines: Iterable[Medicine], lines: Iterable[Line], rows: tuple[ConversionRow, ...]) -> str:
    """Why there is nothing to start from: an opioid that can't be left by a factor, or one of unknown amount."""
    unknown = {line.order for line in lines if line.ome_mg_per_day is None}
    names = [m for m in medicines if m.order in unknown]
    for medicine in names:
        if one_way(rows, medicine.id, medicine.route):
            return (
                f"Conversion away from {medicine.drug.name} is refused: its table holds for one direction only and would "
                "overestimate; the daily total is for weighing risk, not for dosing. Next step: ask a palliative or pain "
                "specialist, who titrates the new opioid under watch; go on with this one until then."
            )
    return "Not every opioid given could be turned into oral morphine, so nothing is converted: see the lines."


def _lower_lines(counted: list[Medicine], rows: tuple[ConversionRow, ...], tables: Iterable[str]) -> tuple[Line, ...]:
    """One line for each opioid counted: the least that any of the tables gives."""
    by_table = [lines_of(counted, rows, table) for table in dict.fromkeys(tables)]
    return tuple(min(same, key=_amount) for same in zip(*by_table, strict=True))


def _amount(line: Line) -> float:
    return inf if line.ome_mg_per_day is None else line.ome_mg_per_day


def conversion_base(
    taken: Iterable[Medicine],
    rows: tuple[ConversionRow, ...],
    tables: tuple[str, ...],
    rescue_counts: bool,
    largest_step: float,
) -> Base:
    """What is to be replaced, mg oral morphine a day.

    Parameters
    ----------
    taken: the opioid orders that are replaced. rows, tables: the conversion tables, and those to choose the lower of.
    rescue_counts: whether as-needed doses taken in the last day belong to it.
    largest_step: the share by which a background dose is raised at once at most; as-needed doses add no more than that.
    """
    agonists = [m for m in taken if is_agonist(m)]
    rows = tuple(row for row in rows if row.opioid in {m.id for m in agonists})
    regular = [m for m in agonists if not m.prn]
    asked = [(m, _why_left_out(m, rescue_counts or not regular)) for m in agonists if m.prn]
    counted = [*regular, *(m for m, why in asked if not why)]
    left_out = tuple((m.order, f"{m.drug.name} as needed is not counted: {why}") for m, why in asked if why)
    ways = leaving(rows)
    lines = _lower_lines(counted, ways, tables)
    if any(line.ome_mg_per_day is None for line in lines):
        return Base(refused=_refusal(counted, lines, rows), left_out=left_out)
    by_order = {m.order: m for m in counted}
    ome, bound = _held(lines, largest_step)
    word = "regular doses and as-needed doses taken" if regular and len(counted) > len(regular) else "regular doses"
    word = word if regular else "as-needed doses taken"
    texts = [_line_text(line, rows, by_order[line.order]) for line in lines]
    shown = (*texts, *(why for _, why in left_out), *bound, f"to convert: {ome:g} mg oral morphine a day ({word})")
    sources = tuple(
        dict.fromkeys(r.source for r in rows if r.direction == "away" and r.opioid in {m.id for m in counted})
    )
    return Base(ome, word if counted else "", shown, left_out, "", lowest_total(counted, ways), sources)


def _held(lines: tuple[Line, ...], largest_step: float) -> tuple[float, tuple[str, ...]]:
    """The sum, with as-needed doses adding no more than the largest step of the regular dose."""
    regular = sum(line.ome_mg_per_day or 0.0 for line in lines if not line.as_needed)
    rescue = sum(line.ome_mg_per_day or 0.0 for line in lines if line.as_needed)
    if not regular or rescue <= regular * largest_step:
        return round(regular + rescue, 2), ()
    text = (
        f"as-needed doses of {rescue:g} mg exceed the regular {regular:g} mg: no more than that much is added at once"
    )
    return round(regular * (1.0 + largest_step), 2), (text,)

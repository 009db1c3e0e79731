"""When a dose is given: repeat, codes, events and the common words of a sig → how often a day at most, or how many hours apart."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from medsafe.fhir.amounts import HOURS_PER_UNIT
from medsafe.fhir.shape import Json, any_of, codings, concept_text, mapping, number, words

DAY_H, WEEK_H = 24.0, 168.0
TIMES = {
    "qd": 1, "od": 1, "daily": 1, "am": 1, "pm": 1, "qam": 1, "qpm": 1, "mane": 1, "nocte": 1, "hs": 1, "qhs": 1, "bed": 1,
    "once daily": 1, "once a day": 1, "every day": 1, "at bedtime": 1, "nightly": 1, "at night": 1, "every morning": 1,
    "in the morning": 1, "every evening": 1, "in the evening": 1,
    "bid": 2, "bd": 2, "bds": 2, "twice daily": 2, "twice a day": 2, "two times a day": 2, "two times daily": 2,
    "tid": 3, "tds": 3, "three times a day": 3, "three times daily": 3,
    "qid": 4, "qds": 4, "four times a day": 4, "four times daily": 4,
}  # fmt: skip
INTERVALS = {
    "qod": 48.0, "every other day": 48.0, "alternate days": 48.0,
    "wk": WEEK_H, "qw": WEEK_H, "weekly": WEEK_H, "once weekly": WEEK_H, "once a week": WEEK_H, "every week": WEEK_H,
    "mo": 730.0, "monthly": 730.0, "once a month": 730.0, "every month": 730.0,
}  # fmt: skip
# Nothing is given more often than once a minute: what says so is a slip, and how often is then not known.
SHORTEST_H = 1 / 60
ONCE = frozenset({"once", "stat", "one time", "one-time", "single dose", "now"})
PARTS_OF_DAY = {
    "am": "morning", "qam": "morning", "mane": "morning", "every morning": "morning", "in the morning": "morning",
    "pm": "evening", "qpm": "evening", "every evening": "evening", "in the evening": "evening",
    "nocte": "night", "hs": "night", "qhs": "night", "bed": "night", "at bedtime": "night", "nightly": "night", "at night": "night",
}  # fmt: skip
_DOTS = re.compile(r"(?<=\b[a-z])\.(?=[a-z]\b|\s|$)")
_EVERY = re.compile(
    r"\b(?:q|every)\s*(\d+(?:\.\d+)?)(?:\s*(?:-|to)\s*\d+(?:\.\d+)?)?\s*-?(h|hrs?|hours?|hourly|d|days?|wk|weeks?|min|minutes)\b"
)
_HOURLY = re.compile(r"\b(\d+(?:\.\d+)?)[\s-]hourly\b")
_NUMBERED = re.compile(r"\b(\d+)\s*(?:x|times)\s*(?:/|per|a|an|each)?\s*(?:d|day|daily)\b")
_PHRASES = sorted((*TIMES, *INTERVALS, *ONCE), key=lambda phrase: (-len(phrase), phrase))
_PHRASE = re.compile(r"\b(" + "|".join(re.escape(p) for p in _PHRASES) + r")\b")
_UNITS = {"hr": "h", "hrs": "h", "hourly": "h", "minutes": "min"}


@dataclass(frozen=True, slots=True)
class Timing:
    """How often: doses a day, or hours between doses when that is more than a day; or once only."""

    times_per_day: float | None = None
    interval_h: float | None = None
    once: bool = False
    note: str = ""

    @property
    def known(self) -> bool:
        return self.once or self.times_per_day is not None or self.interval_h is not None


NOTHING = Timing()


def every(hours: float, note: str = "") -> Timing:
    """A dose every so many hours."""
    return Timing(round(DAY_H / hours, 4), None, False, note) if hours <= DAY_H else Timing(None, hours, False, note)


def timing_of_words(text: str) -> Timing:
    """The frequency that a code or a sig states; nothing where it states none, or two that differ.

    >>> timing_of_words("Q8H").times_per_day, timing_of_words("1 tab b.i.d. for 7 days").times_per_day
    (3.0, 2.0)
    >>> timing_of_words("1 patch every 3 days").interval_h, timing_of_words("take as directed").known
    (72.0, False)
    """
    plain = _DOTS.sub("", text.casefold()).replace("_", " ")
    found = {
        every(float(n) * HOURS_PER_UNIT.get(_UNITS.get(u, u), 1.0)) for n, u in _EVERY.findall(plain) if float(n) > 0
    }
    found |= {every(float(n)) for n in _HOURLY.findall(plain) if float(n) > 0}
    found |= {Timing(float(n)) for n in _NUMBERED.findall(plain) if int(n) > 0}
    if not found:
        found = _of_phrases(_PHRASE.findall(plain))
    return found.pop() if len(found) == 1 else NOTHING


def _of_phrases(phrases: list[str]) -> set[Timing]:
    """The longest phrase counts ("once daily" is not "once"); morning and evening are two doses."""
    parts = {PARTS_OF_DAY[phrase] for phrase in phrases if phrase in PARTS_OF_DAY}
    if len(parts) > 1:
        return {Timing(float(len(parts)))}
    found = {_of_phrase(phrase) for phrase in phrases}
    return {timing for timing in found if not timing.once} or found


def _of_phrase(phrase: str) -> Timing:
    if phrase in ONCE:
        return Timing(once=True)
    return Timing(float(TIMES[phrase])) if phrase in TIMES else every(INTERVALS[phrase])


def _count(value: Any) -> int:
    return len(value) if isinstance(value, list) else int(isinstance(value, str) and bool(value))


def _period_h(repeat: Json) -> float | None:
    unit = words(any_of(repeat, "periodUnit", "periodUnits")).casefold()
    length = number(repeat.get("period"))
    hours = HOURS_PER_UNIT.get(unit)
    return length * hours if length and length > 0 and hours else None


def _note(repeat: Json) -> str:
    """What was chosen where an order leaves a span: always the most it allows."""
    low, high = number(repeat.get("period")), number(repeat.get("periodMax"))
    if low and high and high > low:
        unit = words(any_of(repeat, "periodUnit", "periodUnits"))
        return f"every {low:g} to {high:g} {unit}: read as every {low:g} {unit}, the most it allows"
    few, many = number(repeat.get("frequency")), number(repeat.get("frequencyMax"))
    return f"{few:g} to {many:g} times: read as {many:g}, the most it allows" if few and many and many > few else ""


def timing_of_repeat(repeat: Json) -> Timing:
    """`Timing.repeat`: frequency and period, times of day, events of the day, days of the week."""
    frequency = number(repeat.get("frequencyMax")) or number(repeat.get("frequency"))
    a_day = max(_count(repeat.get("timeOfDay")), _count(repeat.get("when")))
    period, weekdays = _period_h(repeat), _count(repeat.get("dayOfWeek"))
    if period is None and not a_day and not weekdays:
        return Timing(once=True) if number(any_of(repeat, "countMax", "count")) == 1 else NOTHING
    times = max(frequency or 1.0, float(a_day))
    period = period or DAY_H
    if times <= 0 or period / times < SHORTEST_H:
        return NOTHING
    if 0 < weekdays < 7:
        a_week = max(times, float(weekdays)) if period >= WEEK_H else weekdays * times * DAY_H / period
        return every(WEEK_H / a_week, _note(repeat))
    return every(period / times, _note(repeat))


def read_timing(timing: Any) -> Timing:
    """A Timing: its repeat where that says how often, else its code, else its text or its single event."""
    found = mapping(timing)
    by_repeat = timing_of_repeat(mapping(found.get("repeat")))
    if by_repeat.known:
        return by_repeat
    code = found.get("code")
    spoken = [*(c.code for c in codings(code)), *(c.display for c in codings(code)), concept_text(code)]
    by_words = next((t for t in map(timing_of_words, filter(None, spoken)) if t.known), NOTHING)
    if by_words.known:
        return by_words
    return Timing(once=True) if _count(found.get("event")) == 1 else NOTHING


def is_present(timing: Any) -> bool:
    """Whether anything about time was stated at all."""
    return bool(mapping(timing).keys() & {"repeat", "code", "event"})

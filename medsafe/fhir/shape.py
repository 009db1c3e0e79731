"""JSON of any shape, asked politely: every question has an answer of the type promised, however odd the resource.

Real resources hold objects where the standard has lists and texts where it has objects. Nothing here raises.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

Json = dict[str, Any]
LONGEST_TEXT = 300
_DAY = re.compile(r"^(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?(?=$|T)")


@dataclass(frozen=True, slots=True)
class Coding:
    """One code of one system, with the words shown beside it."""

    system: str
    code: str
    display: str


def mapping(value: Any) -> Json:
    """The object; an empty one where something else stands."""
    return value if isinstance(value, dict) else {}


def objects(value: Any) -> list[Json]:
    """The objects of a list; a single object counts as a list of one."""
    if isinstance(value, dict):
        return [value]
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def words(value: Any) -> str:
    """A text on one line without invisible characters, of bounded length; "" for anything else.

    >>> words("Sodium [Mass/\u200bvolume]\u202fin serum")
    'Sodium [Mass/volume] in serum'
    """
    if not isinstance(value, str):
        return ""
    if value.isascii() and value.isprintable():
        return " ".join(value.split())[:LONGEST_TEXT]
    shown = "".join(" " if c.isspace() else c for c in value[: 4 * LONGEST_TEXT] if c.isspace() or not _hidden(c))
    return " ".join(shown.split())[:LONGEST_TEXT]


def kind_of(resource: Json) -> str:
    """The type a resource says it is; "" where it says none, or no word."""
    return words(resource.get("resourceType"))


def _hidden(character: str) -> bool:
    # Bidirectional overrides and zero-width marks can make a name look like another.
    return unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn")


def number(value: Any) -> float | None:
    """A finite number, also where it was written as text; None for anything else.

    >>> number("2.50"), number(True), number("1e999"), number("about 3")
    (2.5, None, None, None)
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def day(value: Any) -> date | None:
    """The calendar day of a date or dateTime; a year or a month alone stands for its first day.

    >>> day("2020-03-28T10:00:00Z"), day("1950"), day("yesterday")
    (datetime.date(2020, 3, 28), datetime.date(1950, 1, 1), None)
    """
    match = _DAY.match(value) if isinstance(value, str) else None
    if match is None:
        return None
    try:
        return date(int(match[1]), int(match[2] or 1), int(match[3] or 1))
    except ValueError:
        return None


def codings(concept: Any) -> list[Coding]:
    """The codings of a CodeableConcept, or of a bare Coding."""
    found = mapping(concept)
    listed = objects(found.get("coding")) or ([found] if "code" in found and isinstance(found["code"], str) else [])
    read = [Coding(words(c.get("system")), words(c.get("code")), words(c.get("display"))) for c in listed]
    return [c for c in read if c.code or c.display]


def concept_text(concept: Any) -> str:
    """What a CodeableConcept (or a bare text or code) says in words."""
    if isinstance(concept, str):
        return words(concept)
    text = words(mapping(concept).get("text"))
    return text or next((c.display for c in codings(concept) if c.display), "")


def concept_word(concept: Any) -> str:
    """The code of a status, whether it is written as code or as CodeableConcept, in lower case."""
    if isinstance(concept, str):
        return words(concept).casefold()
    return next((c.code.casefold() for c in codings(concept) if c.code), concept_text(concept).casefold())


def any_of(resource: Json, *names: str) -> Any:
    """The first of several elements that is there."""
    return next((resource[name] for name in names if resource.get(name) is not None), None)


def reference(value: Any) -> str:
    """The reference of a Reference, "" when there is none.

    >>> reference({"reference": "Patient/p1"})
    'Patient/p1'
    """
    return words(value) if isinstance(value, str) else words(mapping(value).get("reference"))


def local_id(given: str) -> str:
    """The id at the end of a reference, whatever stands before it.

    >>> local_id("https://ehr.example.org/fhir/Patient/p1/_history/2"), local_id("urn:uuid:c92b"), local_id("p1")
    ('p1', 'c92b', 'p1')
    """
    return re.sub(r"/_history/[^/]*$", "", given).rstrip("/").replace(":", "/").split("/")[-1].lstrip("#")


def name_of(resource: Json) -> str:
    """How a notice names a resource: its type and id."""
    kind = words(resource.get("resourceType")) or "resource"
    return f"{kind}/{words(resource.get('id'))}" if words(resource.get("id")) else kind


def texts(values: list[str]) -> Iterator[str]:
    """Texts that say something, each once."""
    yield from dict.fromkeys(value for value in values if value)

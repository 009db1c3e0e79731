"""Problems found in the data: each says where, what is wrong, what was expected and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing wrong with the data. Errors stop the data from being used; warnings are told."""

    file: str
    path: str
    wrong: str
    expected: str = ""
    tip: str = ""
    level: str = "error"

    def __str__(self) -> str:
        place = f"{self.file}: {self.path}" if self.path else self.file
        expected = f"; expected {self.expected}" if self.expected else ""
        tip = f" Tip: {self.tip}" if self.tip else ""
        return f"{self.level}: {place}: {self.wrong}{expected}.{tip}"


TEMPLATE = "see the template of such a record in medsafe/library/templates/"
# What a schema says of a value: what was expected instead, and what to do.
SCHEMA_WORDS: Mapping[str, tuple[str, str]] = {
    "Unknown field.": (
        "a key of the template",
        "check the spelling; a key typed after a [[table]] belongs to that table, so move it above the first table",
    ),
    "Missing data for required field.": ("this key", "add the key; the annotated template shows every key"),
    "Field may not be null.": ("a value", TEMPLATE),
    "Not a valid number.": ("a number", "write it without quotes, with a point: 0.5"),
    "Not a valid integer.": ("a whole number", "write it without quotes"),
    "Not a valid string.": ("text in quotes", TEMPLATE),
    "Not a valid boolean.": ("true or false", "write it without quotes"),
    "Not a valid list.": ('a list such as ["a", "b"]', TEMPLATE),
    "Not a valid mapping type.": ("a table such as { a = 1 }", TEMPLATE),
    "Invalid input type.": ("a table such as { a = 1 }", TEMPLATE),
}
IN_TEMPLATE = "what the template shows"


def flatten(messages: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Walk nested marshmallow messages as (path, message)."""
    if isinstance(messages, dict):
        for key, inner in messages.items():
            step = f"[{key}]" if isinstance(key, int) else ("" if key == "_schema" else f".{key}")
            yield from flatten(inner, f"{path}{step}")
    elif isinstance(messages, list):
        for inner in messages:
            yield from flatten(inner, path)
    else:
        yield path.lstrip("."), str(messages)


def _nearest(wrong: str, expected: str) -> str:
    """What to do about a word that is not one of those allowed: the words most like it, where there are any."""
    allowed = expected.removeprefix("one of ").split(", ")
    near = get_close_matches(wrong.removeprefix("unknown: "), allowed)
    return f"did you mean {' or '.join(near)}?" if near and allowed != [expected] else TEMPLATE


def _told(file: str, path: str, text: str) -> Problem:
    wrong, _, expected = text.rstrip(".").partition("; expected ")
    known = SCHEMA_WORDS.get(text, (expected or IN_TEMPLATE, _nearest(wrong, expected)))
    return Problem(file, path, wrong, *known)


def from_schema(file: str, messages: Any) -> list[Problem]:
    """Turn the messages of a schema into problems of a file."""
    return [_told(file, path, text) for path, text in flatten(messages)]

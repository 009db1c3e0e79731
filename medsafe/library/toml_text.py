"""Edits of a TOML file that leave every line they don't concern as its author wrote it.

A file is a run of blocks: the keys before the first header, then one block for each `[table]` or `[[row]]`. Only the
block that changes is parsed and written again, with its comments; what comes out is read back and compared with what
was meant before anyone gets it.
"""

from __future__ import annotations

import copy
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AoT, Array

# Names of tables, and the places of rows in their list: ("renal", "bands", 0).
Address = tuple[str | int, ...]
_HEADER = re.compile(r"(\[\[?)([A-Za-z0-9_.-]+)\]\]?\s*(#.*)?$")


class TomlTextError(Exception):
    """The edit can't be made safely; the text says why."""


@dataclass(frozen=True, slots=True)
class Block:
    """The lines [start, end) of one table: its header and its own keys, without blank lines and what follows."""

    address: Address
    start: int
    end: int


def toml_value(value: Any) -> str:
    """A value as it is written in the data files, on one line.

    >>> toml_value([{"fact": "age_years", "at_least": 75}])
    '[{ fact = "age_years", at_least = 75 }]'
    """
    if isinstance(value, Mapping):
        return (
            "{ " + ", ".join(f"{key} = {toml_value(inner)}" for key, inner in value.items()) + " }" if value else "{}"
        )
    if isinstance(value, list | tuple):
        return "[" + ", ".join(toml_value(inner) for inner in value) + "]"
    return value.isoformat() if isinstance(value, date) else tomlkit.item(value).as_string()


def _written(value: Any, on_many_lines: bool) -> Any:
    text = toml_value(value)
    if on_many_lines and isinstance(value, list):
        text = "[\n" + "".join(f"    {toml_value(inner)},\n" for inner in value) + "]"
    return tomlkit.parse(f"value = {text}")["value"]


def _headers(lines: list[str]) -> Iterator[tuple[int, Address]]:
    """Every header with its full address; rows of a list are numbered as they come."""
    counts: dict[Address, int] = {}
    for number, line in enumerate(lines):
        found = _HEADER.match(line)
        if found:
            *parents, last = found.group(2).split(".")
            address: Address = ()
            for name in parents:
                address = (*address, name)
                address = (*address, counts[address] - 1) if address in counts else address
            address = (*address, last)
            if found.group(1) == "[[":
                counts[address] = counts.get(address, 0) + 1
                address = (*address, counts[address] - 1)
            yield number, address


def _own_end(lines: list[str], start: int, stop: int, last: bool) -> int:
    """Where a block ends: comments right above the next header belong to that one, blank lines to nobody."""
    if not last:
        while stop > start + 1 and lines[stop - 1].startswith("#"):
            stop -= 1
    while stop > start and not lines[stop - 1].strip():
        stop -= 1
    return stop


def blocks(text: str) -> tuple[Block, ...]:
    """The blocks of a file in order; the first, with the empty address, holds the keys before any header."""
    lines = text.splitlines(keepends=True)
    heads: list[tuple[int, Address]] = [(0, ()), *_headers(lines), (len(lines), ())]
    return tuple(
        Block(address, start, _own_end(lines, start, stop, stop == len(lines)))
        for (start, address), (stop, _) in pairwise(heads)
    )


def line_of(text: str, address: Address, key: str) -> int | None:
    """The line, counted from 1, on which a key of a table stands."""
    block = _find(text, address)
    if block is None:
        return None
    wanted = re.compile(rf"\s*{re.escape(key)}\s*=")
    for number, line in enumerate(text.splitlines()[block.start : block.end], block.start + 1):
        if wanted.match(line):
            return number
    return block.start + 1


def _find(text: str, address: Address) -> Block | None:
    return next((block for block in blocks(text) if block.address == address), None)


def _names(address: Address) -> tuple[str, ...]:
    return tuple(part for part in address if isinstance(part, str))


def _table(document: Any, address: Address) -> Any:
    for name in _names(address):
        document = document[name]
        document = document[0] if isinstance(document, AoT) else document
    return document


def _change(content: str, address: Address, values: Mapping[str, Any]) -> str:
    document = tomlkit.parse(content)
    table = _table(document, address)
    for key, value in values.items():
        if value is None:
            table.pop(key, None)
        else:
            was = table.get(key)
            table[key] = _written(value, isinstance(was, Array) and "\n" in was.as_string())
    return tomlkit.dumps(document)


def _spliced(lines: list[str], start: int, end: int, content: str) -> str:
    return "".join([*lines[:start], content, *lines[end:]])


def _plain_at(data: Any, address: Address) -> Any:
    for part in address:
        data = data[part]
    return data


def _proven(text: str, expected: Mapping[str, Any]) -> str:
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise TomlTextError(f"the edit would break the file ({error}): make it by hand") from None
    if found != expected:
        raise TomlTextError("the file is laid out in a way that this edit would damage: make it by hand")
    return text


def with_values(text: str, address: Address, values: Mapping[str, Any]) -> str:
    """The file with some keys of one table set, or taken out where the value is None.

    Raises
    ------
    TomlTextError: when there is no such table, or the file would not come out as meant.
    """
    block, lines = _find(text, address), text.splitlines(keepends=True)
    if block is None:
        raise TomlTextError("the table is not written under a header of its own: edit it by hand")
    expected = copy.deepcopy(tomllib.loads(text))
    table = _plain_at(expected, address)
    table.update({key: value for key, value in values.items() if value is not None})
    for key in [key for key, value in values.items() if value is None]:
        table.pop(key, None)
    try:
        content = _change("".join(lines[block.start : block.end]), address, values)
    except (TOMLKitError, KeyError) as error:
        raise TomlTextError(f"the table can't be edited ({error}): edit it by hand") from None
    return _proven(_spliced(lines, block.start, block.end, content), expected)


def without(text: str, address: Address) -> str:
    """The file without one table or row, and what stands below it."""
    lines, expected = text.splitlines(keepends=True), tomllib.loads(text)
    found = [b for b in blocks(text) if b.address[: len(address)] == address]
    if not found:
        raise TomlTextError("the row is not written under a header of its own: remove it by hand")
    for block in reversed(found):
        end = block.end
        while end < len(lines) and not lines[end].strip():
            end += 1
        del lines[block.start : end]
    _forget(expected, address)
    return _proven("".join(lines).rstrip("\n") + "\n", expected)


def _forget(data: Any, address: Address) -> None:
    """Take a row out; a list or table that is left empty goes with it, as its header does."""
    parent = _plain_at(data, address[:-1])
    del parent[address[-1]]
    if len(address) > 1 and not parent and isinstance(parent, list | dict):
        _forget(data, address[:-1])


def _insertion(text: str, path: Address) -> int:
    """After the last block of the same list or its neighbours, else at the end."""
    for length in (len(path), len(path) - 1):
        near = [b for b in blocks(text) if b.address and length > 0 and b.address[:length] == path[:length]]
        if near:
            return near[-1].end
    return len(text.splitlines())


def with_row(text: str, path: Address, values: Mapping[str, Any], listed: bool) -> str:
    """The file with one more table (`[a.b]`) or row of a list (`[[a.b]]`) after those of its kind."""
    head = ".".join(_names(path))
    body = "".join(f"{key} = {toml_value(value)}\n" for key, value in values.items())
    lines, expected = text.splitlines(keepends=True), tomllib.loads(text)
    at = _insertion(text, path)
    block = ("\n" if at else "") + (f"[[{head}]]\n" if listed else f"[{head}]\n") + body
    if at and not lines[at - 1].endswith("\n"):
        lines[at - 1] += "\n"
    parent: Any = expected
    for part in path[:-1]:
        parent = parent.setdefault(part, {}) if isinstance(parent, dict) else parent[part]
    if listed:
        parent.setdefault(path[-1], []).append(dict(values))
    else:
        parent[path[-1]] = dict(values)
    return _proven(_spliced(lines, at, at, block), expected)

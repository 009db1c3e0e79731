"""What the checks say to each of `requests.py`, kept in answers/: `python -m tests.recorded.answers` writes it anew.

A change of the program that changes an answer shows as a difference to read. What the data say in their own words is not
kept (a text that stands in the data is written as `DATA`), so that a better sentence in a record changes nothing here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from medsafe import render
from medsafe.context.engine import Engine
from medsafe.request import read_body
from medsafe.review import review
from medsafe.service import load_engine
from tests.recorded.requests import REQUESTS

FOLDER = Path(__file__).parent / "answers"
DATA = "(as the data say)"
# Texts shorter than this are words of the field (a severity, an id) and are kept.
SENTENCE_FROM = 25


def texts(value: object) -> Iterator[str]:
    """Every text in the data."""
    if isinstance(value, str):
        yield value
    elif is_dataclass(value):
        for field in fields(value):
            yield from texts(getattr(value, field.name))
    elif isinstance(value, Mapping):
        for item in (*value.keys(), *value.values()):
            yield from texts(item)
    elif isinstance(value, tuple | list | frozenset | set):
        for item in value:
            yield from texts(item)


def kept(value: Any, known: frozenset[str]) -> Any:
    """An answer without the words of the data."""
    if isinstance(value, dict):
        return {key: kept(item, known) for key, item in value.items()}
    if isinstance(value, list):
        return [kept(item, known) for item in value]
    return DATA if isinstance(value, str) and len(value) >= SENTENCE_FROM and value in known else value


def recorded(engine: Engine, name: str, known: frozenset[str]) -> dict[str, Any]:
    """Status, findings and notices of one request as they are kept, each notice with the orders that asked for it."""
    found = review(read_body(REQUESTS[name]), engine)
    shown = render.review(found)
    findings = [{**f, "sources": [source["id"] for source in f["sources"]]} for f in shown["findings"]]
    notices = [
        {**told, "orders": list(notice.orders) if notice.orders is not None else None, "limits": notice.limits}
        for told, notice in zip(shown["notices"], found.notices, strict=True)
    ]
    state = {"status": shown["status"], "complete": shown["complete"]}
    return {**state, "findings": kept(findings, known), "notices": kept(notices, known)}


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict | list) and value:
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in items:
            yield from _leaves(item, f"{path}.{key}" if path else str(key))
    else:
        yield path, value


def differences(before: Any, now: Any) -> list[str]:
    """Where two answers differ, each with its path: what was kept and what is said now."""
    old, new = dict(_leaves(before)), dict(_leaves(now))
    gone = "(not there)"
    return [
        f"{path}: {old.get(path, gone)!r} -> {new.get(path, gone)!r}"
        for path in sorted(old.keys() | new.keys())
        if path not in old or path not in new or old[path] != new[path]
    ]


def path_of(name: str) -> Path:
    return FOLDER / f"{name}.json"


def main() -> None:
    engine = load_engine(Path(__file__).resolve().parents[2])
    known = frozenset(texts(engine.index.knowledge))
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.json"):
        if old.stem not in REQUESTS:
            old.unlink()
    for name in REQUESTS:
        text = json.dumps(recorded(engine, name, known), indent=1, ensure_ascii=False, sort_keys=True)
        path_of(name).write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

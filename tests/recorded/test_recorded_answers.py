"""What the checks say does not change unseen: each answer is the one that was read and kept."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest

from medsafe.context.engine import Engine
from tests.conftest import loaded_engine
from tests.recorded.answers import FOLDER, differences, path_of, recorded, texts
from tests.recorded.requests import REQUESTS


@cache
def known() -> frozenset[str]:
    """Once for a process, as the engine."""
    return frozenset(texts(loaded_engine().index.knowledge))


@pytest.mark.parametrize("name", REQUESTS)
def test_an_answer_is_the_one_that_was_kept(engine: Engine, name: str) -> None:
    assert differences(json.loads(path_of(name).read_text(encoding="utf-8")), recorded(engine, name, known())) == []


@pytest.mark.parametrize(
    ("now", "told"),
    [
        ({"findings": [{"severity": "high", "drugs": ["a"]}]}, []),
        ({"findings": [{"severity": "low", "drugs": ["a"]}]}, ["findings.0.severity: 'high' -> 'low'"]),
        ({"findings": [{"severity": "high", "drugs": []}]}, ["findings.0.drugs", "findings.0.drugs.0"]),
        ({"findings": []}, ["findings", "findings.0.drugs.0", "findings.0.severity"]),
        ({}, ["", "findings.0.drugs.0", "findings.0.severity"]),
    ],
)
def test_a_difference_is_told_with_its_path(now: Any, told: list[str]) -> None:
    found = differences({"findings": [{"severity": "high", "drugs": ["a"]}]}, now)
    assert [line[: len(want)] for line, want in zip(found, told, strict=True)] == told


def test_every_kept_answer_belongs_to_a_request() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == set(REQUESTS)

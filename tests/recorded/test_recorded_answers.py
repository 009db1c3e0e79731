"""What the checks say does not change unseen: each answer is the one that was read and kept."""

from __future__ import annotations

import json
from functools import cache

import pytest

from medsafe.context.engine import Engine
from tests.conftest import loaded_engine
from tests.recorded.answers import FOLDER, path_of, recorded, texts
from tests.recorded.requests import REQUESTS


@cache
def known() -> frozenset[str]:
    """Once for a process, as the engine."""
    return frozenset(texts(loaded_engine().index.knowledge))


@pytest.mark.parametrize("name", REQUESTS)
def test_an_answer_is_the_one_that_was_kept(engine: Engine, name: str) -> None:
    assert recorded(engine, name, known()) == json.loads(path_of(name).read_text(encoding="utf-8"))


def test_every_kept_answer_belongs_to_a_request() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == set(REQUESTS)

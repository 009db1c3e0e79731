"""The real data is clean."""

from __future__ import annotations

from medsafe.library.load import read_knowledge
from tests.conftest import ROOT


def test_the_real_data_has_no_error() -> None:
    _, problems = read_knowledge(ROOT)
    assert [str(p) for p in problems if p.level == "error"] == []

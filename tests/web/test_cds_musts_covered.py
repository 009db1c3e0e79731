"""The table of duties in the documentation and the tests named by its numbers are the same set."""

from __future__ import annotations

import re
from pathlib import Path

from tests.conftest import ROOT

ROW = re.compile(r"^\| (\d+) \|", re.MULTILINE)
TEST = re.compile(r"^def test_must_(\d\d)_", re.MULTILINE)


def test_every_must_of_the_table_has_a_test_and_every_such_test_stands_in_the_table() -> None:
    table = (ROOT / "docs" / "cds-hooks.md").read_text(encoding="utf-8").partition("## Conformance")[2]
    listed = [int(number) for number in ROW.findall(table)]
    modules = Path(__file__).parent.glob("test_*.py")
    tested = {int(number) for module in modules for number in TEST.findall(module.read_text(encoding="utf-8"))}
    assert listed == sorted(set(listed))
    assert len(listed) >= 28
    assert set(listed) == tested

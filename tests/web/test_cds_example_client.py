"""The example client of the documentation works against the server as it is run for real."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT
from tests.serving import KEY, served


def test_the_example_client_sees_a_card_takes_its_suggestion_and_is_not_warned_again(tmp_path: Path) -> None:
    with served(ROOT, tmp_path) as server:
        client = [sys.executable, str(ROOT / "docs" / "ehr_client.py"), f"http://127.0.0.1:{server.port}", KEY]
        done = subprocess.run(client, capture_output=True, text=True, timeout=60, check=True)
    first, second = done.stdout.split("Taking the recommended suggestion")
    assert "[warning] gabapentin: reduce the dose" in first
    assert "* Change to" in first
    assert "gabapentin: reduce the dose" not in second
    assert "[warning]" not in second

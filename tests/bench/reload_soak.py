"""Reloads, broken data and killed workers under a steady load: `python -m tests.bench.reload_soak`.

Twenty reloads of the real data, every fourth of them broken, a worker killed after every third; then SIGTERM. Says how
many requests were answered, how many failed, and whether any answer named a version with the digest of another.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import tempfile
import time
from http.client import HTTPException
from pathlib import Path
from typing import Any

from medsafe.library.load import digest_of
from tests.serving import FOLDERS, ROOT, Server, break_data, mend_data, release, served
from tests.web.test_reload import Load, _children

ROUNDS = 20


def _ready(server: Server) -> dict[str, Any]:
    while True:
        try:
            return server.ready()
        except (OSError, HTTPException):
            # In the hands of a worker that was killed.
            time.sleep(0.05)


def _round(number: int, server: Server, root: Path, digests: dict[str, str]) -> float:
    broken, name = number % 4 == 3, f"round-{number}"
    release(root, name)
    if broken:
        break_data(root)
    digests[name] = digest_of(root)
    before, started = _ready(server)["reloads"]["attempts"], time.monotonic()
    server.process.send_signal(signal.SIGHUP)
    while _ready(server)["reloads"]["attempts"] <= before:
        time.sleep(0.1)
    if broken:
        mend_data(root)
    if number % 3 == 0:
        os.kill(random.choice(_children(server.process.pid)), signal.SIGKILL)
    return time.monotonic() - started


def main() -> None:
    folder = Path(tempfile.mkdtemp(prefix="medsafe-soak-"))
    root = folder / "data"
    for name in FOLDERS:
        shutil.copytree(ROOT / name, root / name)
    with served(root, folder, MEDSAFE_RATE_PER_MINUTE="0") as server:
        digests = {server.ready()["version"]: digest_of(root)}
        load = Load(server)
        try:
            taken = [_round(number, server, root, digests) for number in range(ROUNDS)]
        finally:
            load.end()
        reloads = _ready(server)["reloads"]
    mixed = [a for a in load.answers if digests[a[1]] != a[2]]
    print(
        f"reloads: {reloads['loaded']} loaded, {reloads['refused']} refused; {min(taken):.1f} to {max(taken):.1f} s each"
    )
    print(f"answers: {len(load.answers)}; failed: {len(load.failed)} {sorted(set(load.failed))}; mixed: {len(mixed)}")
    print(f"the server ended with {server.process.returncode} on SIGTERM")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()

"""A small, clean copy of the real data, quick to load, and the real server over it."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from medsafe.library.load import read_knowledge
from tests.conftest import ROOT

KEY = "a key for tests"
KEY_DIGEST = sha256(KEY.encode()).hexdigest()
DRUGS = ("morphine", "fentanyl", "clarithromycin", "paracetamol", "apixaban", "codeine", "gabapentin")
BIG_TABLES = ("rxnorm_products.csv", "rxnorm_ingredients.csv")
FOLDERS = ("formulary", "interaction_data")


def _canary_drugs() -> set[str]:
    drugs = set()
    for path in (ROOT / "interaction_data" / "canaries").glob("*.toml"):
        request = tomllib.loads(path.read_text(encoding="utf-8"))["request"]
        drugs |= {order["drug"] for key in ("regimen", "new_orders") for order in request.get(key, ())}
    return drugs


def _keep_only(folder: Path, kept: set[str]) -> None:
    for path in folder.glob("*.toml"):
        if path.stem not in kept:
            path.unlink()


def _without_advice(folder: Path) -> None:
    """Advice names medicines that the copy has not, and no rule asks for it."""
    for path in folder.glob("*.toml"):
        path.write_text(path.read_text(encoding="utf-8").partition("\n[[advice]]")[0] + "\n", encoding="utf-8")


def _first_line_only(path: Path) -> None:
    path.write_text(path.read_text(encoding="utf-8").splitlines()[0] + "\n", encoding="utf-8")


def _rows_of(path: Path, drugs: set[str]) -> None:
    first, *rows = path.read_text(encoding="utf-8").splitlines()
    kept = [row for row in rows if row.partition(",")[0] in drugs]
    path.write_text("\n".join([first, *kept, ""]), encoding="utf-8")


def small_data(root: Path) -> Path:
    """Copy a handful of drugs and whatever of the rest is still whole without the others."""
    shutil.copytree(_made_once(), root)
    return root


@cache
def _made_once() -> Path:
    root = Path(tempfile.mkdtemp(prefix="medsafe-small-"))
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("releases"))
    _keep_only(root / "formulary" / "drugs", {*DRUGS, *_canary_drugs()})
    _without_advice(root / "interaction_data" / "effects")
    for name in BIG_TABLES:
        _first_line_only(root / "formulary" / name)
    _rows_of(root / "formulary" / "organ_exposure.csv", {p.stem for p in (root / "formulary" / "drugs").glob("*.toml")})
    for _ in range(12):
        broken = {p.file for p in read_knowledge(root)[1] if p.level == "error"}
        if not broken:
            return root
        for file in broken:
            (root / file).unlink()
    raise AssertionError(f"the small copy can't be made clean: {sorted(broken)}")


def break_data(root: Path) -> None:
    """What an editor leaves half-written."""
    (root / "formulary" / "classes" / "half-written.toml").write_text('name = "half', encoding="utf-8")


def mend_data(root: Path) -> None:
    (root / "formulary" / "classes" / "half-written.toml").unlink()


def release(root: Path, version: str) -> None:
    """Publish the data under another version."""
    text = f'version = "{version}"\nreleased_on = 2026-11-23\n'
    (root / "formulary" / "release.toml").write_text(text, encoding="utf-8")


@dataclass
class Server:
    """gunicorn with two workers, as it is run for real."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    def ask(self, path: str, body: Any = None, method: str = "", **headers: str) -> tuple[int, bytes, dict[str, str]]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=20)
        raw = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        named = {"X-API-Key": KEY, "Content-Type": "application/json"}
        named |= {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            connection.request(method or ("POST" if raw is not None else "GET"), path, raw, named)
            answer = connection.getresponse()
            return answer.status, answer.read(), dict(answer.getheaders())
        finally:
            connection.close()

    def ready(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.ask("/readyz")[1])
        return found

    def until(self, holds: Callable[[dict[str, Any]], bool], seconds: float = 20) -> dict[str, Any]:
        """What /readyz says once it holds."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = self.ready()
            if holds(found):
                return found
            time.sleep(0.05)
        raise AssertionError(f"never held; last: {found}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def served(root: Path, folder: Path, **environ: str) -> Iterator[Server]:
    """Serve the data below `root` with gunicorn until the block ends."""
    port = _free_port()
    given = {
        "MEDSAFE_DATA_DIR": str(root),
        "MEDSAFE_BIND": f"127.0.0.1:{port}",
        "MEDSAFE_WORKERS": "2",
        "MEDSAFE_STORE_URL": "none",
    }
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("MEDSAFE_", "PROMETHEUS_"))}
    command = [sys.executable, "-m", "gunicorn", "--chdir", str(ROOT), "-c", str(ROOT / "gunicorn.conf.py"), "wsgi:app"]
    log = folder / "server.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, env={**clean, **given, "MEDSAFE_API_KEYS": KEY_DIGEST, **environ}, stdout=out, stderr=out
        )
        server = Server(process, port, log)
        try:
            _wait(server)
            yield server
        finally:
            process.terminate()
            process.wait(30)


def _wait(server: Server) -> None:
    for _ in range(1200):
        try:
            if server.ask("/readyz")[0] == 200:
                return
        except OSError:
            time.sleep(0.1)
        if server.process.poll() is not None:
            break
    raise AssertionError(server.log.read_text())

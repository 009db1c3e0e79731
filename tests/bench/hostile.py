"""Hostile requests against the real server: what no well-meaning caller sends, many thousand times.

    python -m tests.bench.hostile [--requests 100000] [--seed 1]

Starts gunicorn with two workers over the real data and sends it bodies grown from valid cases and recorded CDS Hooks calls:
values of the wrong kind, deep and wide nesting, huge and odd numbers, control characters, truncated and duplicated JSON, wrong
media types, strange methods and paths. Every value that could be a patient's carries a marker. It counts answers by status,
5xx, answers over a second, marker in any log line or metric, and the memory of each worker at a fifth and at the end.
What took over a second is asked again alone, which tells a slow answer from a machine that others keep busy.
Exit code 1 when any promise is broken. The load is bounded by the number of requests and goes to this machine only.
"""

from __future__ import annotations

import argparse
import copy
import json
import random
import sys
import tempfile
import time
import tomllib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from tests.conftest import ROOT
from tests.serving import KEY, Server, served

MARKER = "zzMarkerzz"
SLOW_S = 1.0
CALLERS = 4
MEMORY_GROWTH = 1.15
METHODS = ("POST",) * 60 + ("GET", "PUT", "DELETE", "OPTIONS", "PATCH", "HEAD")
TYPES = ("application/json",) * 40 + (
    "text/plain",
    "",
    "application/fhir+json",
    "application/json; charset=utf-16",
    MARKER,
)
PATHS = ("/v1/check",) * 6 + ("/v1/organ-function", "/v1/opioids/convert", "/v1/check/", f"/v1/{MARKER}")
READS = (
    "/v1/drugs?q={}", "/v1/drugs/{}", "/v1/interactions?drugs={}", "/v1/graph?drugs={}", "/{}", "/cds-services/{}", "/docs?{}",
)  # fmt: skip


def _nested(depth: int, wide: bool) -> Any:
    found: Any = MARKER
    for _ in range(depth):
        found = [found] if wide else {"a": found}
    return found


def odd_values(rng: random.Random) -> Any:
    """A value that does not belong where it is put."""
    return rng.choice(
        [
            None, True, False, 0, -1, 1e308, -1e308, 10**40, 5e-324, "", " ", MARKER, MARKER * 400, "\u0000", "\ud83d\ude00", "١٢",
            "NaN", "Infinity", "1e999", "' OR 1=1 --", "../../etc/passwd", "<script>", "{{7*7}}", "%s%n", [], {}, [[]], [None],
            {"value": MARKER}, {"value": 1e308, "unit": MARKER}, {"value": None, "unit": None}, [MARKER] * 300,
            "2026-02-30", "0000-00-00", "9999-12-31", "mg", "umol/L", {"system": MARKER, "code": MARKER}, 0.1 + 0.2,
            list(range(500)), {str(i): i for i in range(300)}, _nested(60, True), _nested(60, False),
        ]
    )  # fmt: skip


def _places(found: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = found.items() if isinstance(found, dict) else enumerate(found) if isinstance(found, list) else ()
    return [path, *(place for key, value in items for place in _places(value, (*path, key)))]


def mutated(body: Any, rng: random.Random) -> Any:
    """A valid body with a few things wrong."""
    body = copy.deepcopy(body)
    for _ in range(rng.choice((0, 1, 1, 2, 3, 8))):
        places = [place for place in _places(body) if place]
        if not places:
            return body
        *way, last = rng.choice(places)
        inside = body
        for key in way:
            inside = inside[key]
        _change(inside, last, rng)
    return body


def _change(inside: Any, last: Any, rng: random.Random) -> None:
    what = rng.random()
    if what < 0.6:
        inside[last] = odd_values(rng)
    elif what < 0.75:
        del inside[last]
    elif what < 0.9 and isinstance(inside, list):
        inside.extend(copy.deepcopy(inside[last]) for _ in range(rng.choice((1, 5, 40))))
    elif isinstance(inside, dict):
        inside[rng.choice((MARKER, "__class__", "drug ", "Drug", "unit", "extension"))] = odd_values(rng)


def as_sent(body: Any, rng: random.Random) -> bytes:
    """The bytes of a body, sometimes spoilt."""
    raw = json.dumps(body, ensure_ascii=rng.random() < 0.5).encode("utf-8", "surrogatepass")
    what = rng.random()
    if what < 0.03:
        return raw[: rng.randrange(len(raw) + 1)]
    if what < 0.05:
        return raw.replace(b":", b": NaN, " + json.dumps(MARKER).encode() + b":", 1)
    if what < 0.06:
        return b"\xff\xfe" + raw
    if what < 0.07:
        return b"[" * rng.choice((200, 5000, 100_000)) + MARKER.encode()
    if what < 0.08:
        return raw[:-1] + b"," + raw[1:] if len(raw) > 2 else raw
    return raw


def seeds() -> list[tuple[str, Any]]:
    """Valid requests to start from: cases of every kind, and recorded CDS Hooks calls."""
    found: list[tuple[str, Any]] = []
    for path in sorted((ROOT / "tests" / "cases").rglob("*.toml")):
        case = tomllib.loads(path.read_text(encoding="utf-8"))["request"]
        found.append(("", json.loads(json.dumps(case, default=str))))
    for path in sorted((ROOT / "tests" / "fixtures" / "cds").glob("*.json")):
        try:
            call = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            continue
        hook = call.get("hook", "order-sign")
        service = f"medsafe-{hook}" if hook in ("order-select", "order-sign", "patient-view") else "medsafe-order-sign"
        found += [(f"/cds-services/{service}{'/feedback' if 'feedback' in call else ''}", call)] * 12
    return found


# Method, path, body, headers.
Asked = tuple[str, str, bytes | None, dict[str, str]]


@dataclass
class Tally:
    """What came of the requests so far."""

    statuses: Counter[int] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)
    slow: list[tuple[float, Asked]] = field(default_factory=list)
    slowest_s: float = 0.0


def _request(kept: list[tuple[str, Any]], rng: random.Random) -> Asked:
    if rng.random() < 0.06:
        text = rng.choice(("morphine", MARKER, "%00", "a," * 200, "%F0%9F%98%80", "..%2f..%2f", "m" * 3000))
        return "GET", rng.choice(READS).format(text), None, {}
    path, body = rng.choice(kept)
    headers = {"Content-Type": rng.choice(TYPES), "X-Request-Id": MARKER}
    return rng.choice(METHODS), path or rng.choice(PATHS), as_sent(mutated(body, rng), rng), headers


def _send(server: Server, asked: Asked, tally: Tally) -> None:
    method, path, raw, headers = asked
    connection = HTTPConnection("127.0.0.1", server.port, timeout=30)
    begun = time.perf_counter()
    try:
        connection.request(method, path, raw, {"X-API-Key": KEY, **headers})
        answer = connection.getresponse()
        answer.read()
        status = answer.status
    except (OSError, HTTPException) as error:
        status = 599
        tally.failed.append(f"{method} {path}: {type(error).__name__} {len(raw or b'')} bytes")
    finally:
        connection.close()
    took = time.perf_counter() - begun
    tally.statuses[status] += 1
    tally.slowest_s = max(tally.slowest_s, took)
    if 500 <= status < 599:
        tally.failed.append(f"{method} {path} {status}: {(raw or b'')[:2000]!r}")
    if took > SLOW_S:
        tally.slow.append((took, asked))


def slow_alone(server: Server, slow: list[tuple[float, Asked]]) -> list[str]:
    """What takes over a second again when nothing else is asked."""
    again = Tally()
    for _, asked in slow:
        _send(server, asked, again)
    return [f"{method} {path}: {took:.2f} s, {len(raw or b'')} bytes" for took, (method, path, raw, _) in again.slow]


def worker_memory_mb(server: Server) -> list[float]:
    """Resident memory of each worker."""
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split()
    pages = [int(Path(f"/proc/{child}/statm").read_text().split()[1]) for child in children]
    return [round(p * 4096 / 1e6, 1) for p in pages]


def run(requests: int, seed: int, server: Server) -> tuple[Tally, list[list[float]]]:
    """Send them all; memory is read after each fifth."""
    tally, kept, memory = Tally(), seeds(), [worker_memory_mb(server)]
    share = requests // 5

    def some(number: int, caller: int) -> None:
        rng = random.Random(f"{seed} {number} {caller}")
        for _ in range(share // CALLERS):
            _send(server, _request(kept, rng), tally)

    for number in range(5):
        with ThreadPoolExecutor(CALLERS) as callers:
            list(callers.map(lambda caller, n=number: some(n, caller), range(CALLERS)))
        memory.append(worker_memory_mb(server))
        print(f"{(number + 1) * share} sent; memory of the workers {memory[-1]} MB", file=sys.stderr)
    return tally, memory


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        with served(ROOT, Path(folder), MEDSAFE_RATE_PER_MINUTE="0", MEDSAFE_LOG_LEVEL="debug") as server:
            tally, memory = run(wanted.requests, wanted.seed, server)
            metrics = server.ask("/metrics")[1].decode()
            slow = slow_alone(server, tally.slow)
        told = server.log.read_text() + metrics
    leaks = [line for line in told.splitlines() if MARKER.casefold() in line.casefold()]
    grew = max(after / before for before, after in zip(memory[1], memory[-1], strict=False))
    print(json.dumps({
        "requests": sum(tally.statuses.values()), "statuses": {str(k): v for k, v in sorted(tally.statuses.items())},
        "failed": len(tally.failed), "over_one_second": len(tally.slow), "over_one_second_alone": len(slow), "slowest_s": round(tally.slowest_s, 2),
        "log_lines_with_a_value": len(leaks), "memory_mb": memory, "memory_growth_from_first_fifth": round(grew, 3),
    }, indent=1))  # fmt: skip
    for line in (
        *tally.failed[:10],
        *(f"{took:.2f} s: {asked[0]} {asked[1]}" for took, asked in tally.slow[:10]),
        *leaks[:10],
    ):
        print(line)
    return 1 if tally.failed or tally.slow or leaks or grew > MEMORY_GROWTH else 0


if __name__ == "__main__":
    sys.exit(main())

"""Measures in one run what answering costs: in process, over HTTP against the bare floor, in memory, at start and at reload.

Milliseconds are of one machine at one moment; the ratios to the floor carry over. The floor is the same server stack,
settings and number of workers, whose view parses the body and returns a constant of the same size.
"""

from __future__ import annotations

import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson

from medsafe import render
from medsafe.background import PROJECT, is_ready
from medsafe.context.engine import Engine
from medsafe.request import CASE_SCHEMA, read_body
from medsafe.review import review
from medsafe.service import failed_canaries, load_engine

WORKERS = 2
CLIENTS = (1, 4, 16)
SECONDS_A_LOAD = 3.0
FLOOR = """
import orjson
from flask import Flask, Response, request
app = Flask("floor")
PAYLOAD = orjson.dumps({{"filler": "x" * {size}}})
@app.post("/v1/check")
def check():
    orjson.loads(request.get_data())
    return Response(PAYLOAD, mimetype="application/json")
@app.get("/readyz")
def ready():
    return "ok"
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one call costs, as medians in milliseconds; the processor's time is steadier where others share the machine."""

    wall_ms: float
    processor_ms: float


@dataclass(frozen=True, slots=True)
class Load:
    """What a number of clients saw, and what it cost the server; None where the system does not tell."""

    clients: int
    requests: int
    failed: int
    per_second: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    processor_ms: float | None


def twelve_drug_case(symptoms: bool) -> dict[str, object]:
    """A patient on twelve drugs, with or without a symptom that asks for suggestions."""
    body: dict[str, object] = orjson.loads((Path(__file__).parent / "examples" / "twelve_drugs.json").read_bytes())
    return {**body, "symptoms": [{"name": "neuropathic pain", "score": 7}] if symptoms else []}


def cost(action: Callable[[], object], times: int = 100) -> Cost:
    """Median cost of one call, after a first one that does not count."""
    action()
    wall, processor = [], []
    for _ in range(times):
        began, busy = time.perf_counter(), time.thread_time()
        action()
        processor.append((time.thread_time() - busy) * 1000)
        wall.append((time.perf_counter() - began) * 1000)
    return Cost(round(statistics.median(wall), 3), round(statistics.median(processor), 3))


def in_process(engine: Engine) -> dict[str, Cost]:
    """The parts of answering a twelve-drug case."""
    plain, asking = twelve_drug_case(False), twelve_drug_case(True)
    case, with_symptom = read_body(plain), read_body(asking)
    shown = review(case, engine)
    answer = render.review(shown)
    return {
        "read body": cost(lambda: read_body(plain)),
        "read body by the schema alone": cost(lambda: CASE_SCHEMA.load(plain)),
        "review": cost(lambda: review(case, engine)),
        "review with suggestions for one symptom": cost(lambda: review(with_symptom, engine), 50),
        "render": cost(lambda: render.review(shown)),
        "dump": cost(lambda: orjson.dumps(answer)),
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Server:
    """A gunicorn of ours on a free port of the loopback."""

    def __init__(self, target: str, folder: Path, root: Path, worker_class: str = "sync") -> None:
        self.port = _free_port()
        arguments = {
            "--chdir": folder,
            "-c": PROJECT / "gunicorn.conf.py",
            "--bind": f"127.0.0.1:{self.port}",
            "--workers": WORKERS,
            "--worker-class": worker_class,
            "--log-level": "error",
        }
        words = [str(word) for pair in arguments.items() for word in pair]
        # Neither keys nor limits: they are the operator's, and would measure the refusal.
        environment = {k: v for k, v in os.environ.items() if k != "MEDSAFE_API_KEYS"}
        environment |= {"MEDSAFE_DATA_DIR": str(root), "MEDSAFE_RATE_PER_MINUTE": "0"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", *words, target],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def wait(self) -> None:
        for _ in range(600):
            if is_ready(f"127.0.0.1:{self.port}"):
                return
            time.sleep(0.05)
        raise SystemExit(f"nothing answers on port {self.port}")

    def workers(self) -> list[int]:
        """Process ids of the workers; none where the system does not tell."""
        try:
            listed = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        except OSError:
            return []
        return [int(word) for word in listed.split()]

    def processor_s(self) -> float | None:
        """Processor time that the workers have used so far."""
        ticks = 0
        for pid in self.workers():
            after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(after_name[11]) + int(after_name[12])
        return ticks / os.sysconf("SC_CLK_TCK") if ticks else None

    def memory_mb(self) -> dict[str, float]:
        """Memory of one worker (the mean): all it maps, its share of it, and what it shares with nobody."""
        found: dict[str, list[float]] = {"Rss": [], "Pss": [], "Private_Dirty": []}
        for pid in self.workers():
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                name, _, amount = line.partition(":")
                if name in found:
                    found[name].append(int(amount.split()[0]) / 1024)
        return {name.lower(): round(statistics.mean(each), 1) for name, each in found.items() if each}

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)


@contextmanager
def serving(target: str, folder: Path, root: Path, worker_class: str = "sync") -> Iterator[tuple[Server, float]]:
    """A server that is ready, and the seconds it took to become so; stopped at the end whatever happens."""
    began = time.perf_counter()
    server = Server(target, folder, root, worker_class)
    try:
        server.wait()
        yield server, round(time.perf_counter() - began, 2)
    finally:
        server.stop()


def _ask(port: int, request: bytes) -> tuple[bool, int]:
    """One request on a connection of its own, with as little work on the client's side as can be."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(request)
        parts = []
        while part := connection.recv(65536):
            parts.append(part)
    answer = b"".join(parts)
    return answer.startswith(b"HTTP/1.1 200"), len(answer.partition(b"\r\n\r\n")[2])


def _client(port: int, request: bytes, until: float) -> list[tuple[float, bool]]:
    taken = []
    while (began := time.perf_counter()) < until:
        good, _ = _ask(port, request)
        taken.append(((time.perf_counter() - began) * 1000, good))
    return taken


def load(server: Server, request: bytes, clients: int, seconds: float) -> Load:
    """Let `clients` ask one request after the other for some seconds."""
    busy, began = server.processor_s(), time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        found = list(pool.map(lambda _: _client(server.port, request, began + seconds), range(clients)))
    elapsed, busy_after = time.perf_counter() - began, server.processor_s()
    taken = sorted(ms for each in found for ms, _ in each)
    failed = sum(not good for each in found for _, good in each)
    spent = (busy_after - busy) * 1000 / len(taken) if busy is not None and busy_after is not None else None
    p50, p95, p99 = (round(taken[min(len(taken) - 1, int(len(taken) * part))], 2) for part in (0.5, 0.95, 0.99))
    rate = round(len(taken) / elapsed, 1)
    return Load(clients, len(taken), failed, rate, p50, p95, p99, None if spent is None else round(spent, 2))


def over_http(engine: Engine, root: Path, worker_class: str = "sync") -> dict[str, Any]:
    """The service and the floor under the same loads, taking turns, so that a busy machine slows both."""
    payload = orjson.dumps(twelve_drug_case(False))
    head = f"POST /v1/check HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: {len(payload)}\r\n"
    request = head.encode() + b"Connection: close\r\n\r\n" + payload
    size = len(orjson.dumps(render.review(review(read_body(orjson.loads(payload)), engine))))
    found: dict[str, Any] = {"answer_bytes": size, "worker_class": worker_class, "workers": WORKERS, "loads": []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "floor.py").write_text(FLOOR.format(size=size - len(b'{"filler":""}')))
        with (
            serving("floor:app", folder, root, worker_class) as (floor, _),
            serving("wsgi:app", PROJECT, root, worker_class) as (service, ready_s),
        ):
            for server in (floor, service):
                load(server, request, WORKERS, 0.5)
            for clients in CLIENTS:
                bare, ours = (load(s, request, clients, SECONDS_A_LOAD) for s in (floor, service))
                shares = {"throughput_of_floor": round(ours.per_second / bare.per_second, 3)}
                if bare.processor_ms and ours.processor_ms:
                    shares["processor_of_floor"] = round(ours.processor_ms / bare.processor_ms, 2)
                found["loads"].append({"floor": asdict(bare), "medsafe": asdict(ours), **shares})
            found |= {"server_ready_s": ready_s, "memory_mb_a_worker": service.memory_mb()}
    return found


def measure(root: Path) -> dict[str, Any]:
    """All measurements of one run; takes less than a minute and a half.

    Parameters
    ----------
    root: the folder that holds the data.

    Returns
    -------
    Plain data: `drugs`, `start`, `in_process`, `http`.
    """
    began = time.perf_counter()
    engine = load_engine(root)
    loaded = time.perf_counter()
    failures = failed_canaries(engine, root)
    proven = time.perf_counter()
    if failures:
        raise SystemExit("\n".join(failures))
    return {
        "drugs": len(engine.index.drugs),
        "digest": engine.knowledge.digest,
        # What a reload costs, too: the same is done while the old version goes on answering.
        "start": {"load_s": round(loaded - began, 2), "canaries_s": round(proven - loaded, 2)},
        "in_process": {name: asdict(found) for name, found in in_process(engine).items()},
        "http": over_http(engine, root),
    }


def lines(found: dict[str, Any]) -> Iterator[str]:
    """The measurements for people."""
    start, http = found["start"], found["http"]
    yield f"{found['drugs']} drugs: read, check and compile {start['load_s']} s, canaries {start['canaries_s']} s (a reload is both); server ready after {http['server_ready_s']} s"
    yield "twelve drugs, in process (median wall, median processor time):"
    for name, each in found["in_process"].items():
        yield f"  {name}: {each['wall_ms']:.2f} ms, {each['processor_ms']:.2f} ms"
    yield f"over HTTP, {http['workers']} {http['worker_class']} workers, answers of {http['answer_bytes']} bytes:"
    for each in http["loads"]:
        for name in ("floor", "medsafe"):
            row = each[name]
            spent = "" if row["processor_ms"] is None else f", {row['processor_ms']:.2f} ms of processor"
            yield (
                f"  {row['clients']:>2} clients, {name}: {row['per_second']:.0f} requests/s, p50 {row['p50_ms']:.1f}, "
                f"p95 {row['p95_ms']:.1f}, p99 {row['p99_ms']:.1f} ms{spent}, {row['failed']} failed"
            )
        yield f"     throughput against the floor: {each['throughput_of_floor']:.2f}"
    if memory := http["memory_mb_a_worker"]:
        yield f"memory of a worker: {memory['private_dirty']} MB of its own, {memory['pss']} MB as its share, {memory['rss']} MB mapped"

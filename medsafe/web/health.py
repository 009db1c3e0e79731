"""`/livez`, `/readyz` and `/metrics`."""

from __future__ import annotations

import os
import time
from collections import Counter as Tally
from collections.abc import Iterable, Iterator
from typing import Any

from flask import Blueprint, Response, current_app, g, request
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
    multiprocess,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from medsafe.library.releases import RELEASED
from medsafe.model.vocabulary import KINDS, NOTICE_CODES, SEVERITY_WORDS
from medsafe.service import Service
from medsafe.store.store import Store
from medsafe.web.exchange import reply, service
from medsafe.web.limits import SharedMemory
from medsafe.web.rules import watch

blueprint = Blueprint("health", __name__)
REQUESTS = Counter("medsafe_requests_total", "Requests answered", ["endpoint", "status"])
LATENCY = Histogram(
    "medsafe_request_seconds",
    "Time to answer",
    ["endpoint"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
)
FINDINGS = Counter("medsafe_findings_total", "Findings shown", ["kind", "severity", "interruptive"])
NOTICES = Counter("medsafe_notices_total", "Notices shown", ["code"])
REVIEWS = Counter("medsafe_reviews_total", "Reviews answered", ["status"])
# Labels come from closed lists only: whatever else turns up is counted as `other`, never under its own word.
STATUSES = frozenset({"all-clear", "findings", "incomplete", "nothing-to-check"})
OTHER = "other"
TOLD = 20


@blueprint.get("/livez")
def livez() -> Response:
    """The process answers."""
    return reply({"status": "alive"})


def _reloads(state: Service) -> dict[str, Any]:
    """What became of attempts to load new data; refused data are told while the old stay in service."""
    last = state.last_reload
    told: dict[str, Any] = {"attempts": sum(state.reloads.values()), **state.reloads}
    if last is not None:
        told["last"] = {
            "outcome": last.outcome,
            "at": last.at.isoformat(),
            "problems": list(last.problems[:TOLD]),
            "problem_count": len(last.problems),
        }
    return told


@blueprint.get("/readyz")
def readyz() -> Response:
    """Ready only when the knowledge is loaded and every canary case gave its known answer."""
    current = service()
    loaded = current.state
    if loaded is None:
        return reply({"status": "not-ready", "because": ["the knowledge is not loaded"]}, 503)
    if loaded.failures:
        return reply({"status": "not-ready", "because": list(loaded.failures)}, 503)
    knowledge = loaded.engine.knowledge
    return reply(
        {
            "status": "ready",
            "version": knowledge.version,
            "digest": knowledge.digest,
            "release": loaded.release,
            "loaded_at": loaded.loaded_at.isoformat(),
            "reloads": _reloads(current),
            **_memories(),
        }
    )


def _memories() -> dict[str, Any]:
    """Whether what should be kept is kept; the checks go on without it, so it never makes the service unready."""
    store: Store | None = current_app.extensions.get("medsafe.store")
    shared: SharedMemory | None = current_app.extensions.get("medsafe.shared")
    told: dict[str, Any] = {"store": store.status() if store else {"status": "off"}}
    return {**told, "redis": shared.status()} if shared else told


class KnowledgeState:
    """The version in service and its reloads, as metrics made when they are asked for."""

    def __init__(self, state: Service) -> None:
        self.state = state

    def collect(self) -> Iterator[Metric]:
        info = GaugeMetricFamily(
            "medsafe_knowledge_info", "The knowledge in service", labels=["version", "digest", "released_on"]
        )
        loaded = self.state.state
        if loaded is not None:
            k = loaded.engine.knowledge
            info.add_metric([k.version, k.digest, k.released_on.isoformat()], 1)
            yield GaugeMetricFamily(
                "medsafe_knowledge_loaded_timestamp_seconds",
                "When the knowledge came into service",
                value=loaded.loaded_at.timestamp(),
            )
            released = float(loaded.release == RELEASED)
            yield GaugeMetricFamily(
                "medsafe_knowledge_released", "1 when the data are those of a recorded release", value=released
            )
        yield info
        yield GaugeMetricFamily("medsafe_ready", "1 when the service is ready", value=float(self.state.ready))
        reloads = CounterMetricFamily("medsafe_reloads", "Attempts to load new knowledge", labels=["outcome"])
        for outcome, count in self.state.reloads.items():
            reloads.add_metric([outcome], count)
        yield reloads


@blueprint.get("/metrics")
def metrics() -> Response:
    """Prometheus metrics; no patient value is ever a label."""
    counted: CollectorRegistry = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        counted = CollectorRegistry()
        multiprocess.MultiProcessCollector(counted)  # type: ignore[no-untyped-call]
    own = CollectorRegistry()
    own.register(KnowledgeState(service()))
    if (rules := watch()) is not None:
        own.register(rules)
    return Response(generate_latest(counted) + generate_latest(own), content_type=CONTENT_TYPE_LATEST)


def _word(word: Any, known: Iterable[str]) -> str:
    return word if word in known else OTHER


def count_answer(answer: dict[str, Any]) -> None:
    """Count what an answer of `POST /v1/check` shows: by kind and severity, and by code; never by drug or value."""
    REVIEWS.labels(_word(answer.get("status"), STATUSES)).inc()
    found = Tally(
        (_word(f["kind"], KINDS), _word(f["severity"], SEVERITY_WORDS), str(bool(f["interruptive"])).lower())
        for f in answer["findings"]
    )
    for labels, count in found.items():
        FINDINGS.labels(*labels).inc(count)
    for code, count in Tally(_word(n["code"], NOTICE_CODES) for n in answer["notices"]).items():
        NOTICES.labels(code).inc(count)


@blueprint.before_app_request
def start_clock() -> None:
    g.started = time.perf_counter()


@blueprint.after_app_request
def count(response: Response) -> Response:
    """Count by endpoint, never by path: a path may hold what a user typed."""
    endpoint = request.endpoint or "unknown"
    REQUESTS.labels(endpoint, str(response.status_code)).inc()
    LATENCY.labels(endpoint).observe(time.perf_counter() - g.get("started", time.perf_counter()))
    if "shown" in g:
        count_answer(g.shown)
    return response

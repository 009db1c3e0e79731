"""Order entry over a folder of FHIR NDJSON: every current order in turn as the draft, the others as prefetch.

    python tests/bench/cds_sample.py FOLDER [--all] [--renew | --as-written]

The folder holds Patient, MedicationRequest, Observation, Condition and AllergyIntolerance as `<Type>.ndjson`. Each patient's
own orders are signed one by one as if they were new, with --renew as what they are: orders that stand among the others
already, with --as-written on the day each was written, beside what was written before it. With --all ended orders are signed as well. Prints what failed, cards per 1,000 orders by
indicator, and the slowest calls. Dates are those of the sample, so its results are old: the check is made on the
last day of the patient's chart.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from medsafe.web import cds
from medsafe.web.app import create_app

TYPES = ("MedicationRequest", "Observation", "Condition", "AllergyIntolerance")
KEYS = {"Condition": "conditions", "AllergyIntolerance": "allergies"}
URL = "/cds-services/medsafe-order-sign"
Json = dict[str, Any]


@dataclass
class Tally:
    """What came of all calls."""

    orders: int = 0
    errors: list[str] = field(default_factory=list)
    cards: Counter[str] = field(default_factory=Counter)
    silent: int = 0
    suggested: int = 0
    alerted: int = 0
    summaries: Counter[str] = field(default_factory=Counter)
    seconds: list[tuple[float, str]] = field(default_factory=list)


def lines(path: Path) -> Iterator[Json]:
    if path.exists():
        with path.open(encoding="utf-8") as file:
            yield from (json.loads(line) for line in file if line.strip())


def subject(resource: Json) -> str:
    reference = (resource.get("subject") or resource.get("patient") or {}).get("reference", "")
    return str(reference).replace(":", "/").split("/")[-1]


def read(folder: Path) -> tuple[dict[str, Json], dict[str, dict[str, list[Json]]]]:
    patients = {p["id"]: p for p in lines(folder / "Patient.ndjson")}
    charts: dict[str, dict[str, list[Json]]] = {i: {t: [] for t in TYPES} for i in patients}
    for kind in TYPES:
        for resource in lines(folder / f"{kind}.ndjson"):
            if subject(resource) in charts:
                charts[subject(resource)][kind].append(resource)
    return patients, charts


def bundle(resources: list[Json]) -> Json:
    entries = [{"resource": r} for r in resources]
    return {"resourceType": "Bundle", "type": "searchset", "total": len(entries), "entry": entries}


def before(chart: dict[str, list[Json]], draft: Json) -> dict[str, list[Json]]:
    """What a chart held when an order was written: earlier orders, and findings and problems up to that moment."""
    now, dated = draft["authoredOn"], ("effectiveDateTime", "onsetDateTime", "recordedDate")
    found = {
        kind: [r for r in listed if max((r[k] for k in dated if k in r), default="") <= now]
        for kind, listed in chart.items()
    }
    place = chart["MedicationRequest"].index(draft)
    found["MedicationRequest"] = [
        r for i, r in enumerate(chart["MedicationRequest"]) if (r["authoredOn"], i) < (now, place)
    ]
    return found


def call(patient: Json, chart: dict[str, list[Json]], draft: Json, renew: bool) -> Json:
    others = [r for r in chart["MedicationRequest"] if renew or r["id"] != draft["id"]]
    prefetch: Json = {"patient": patient, "medications": bundle(others)}
    prefetch |= {key: bundle(chart[kind]) for kind, key in KEYS.items()}
    prefetch["laboratory"] = bundle(chart["Observation"])
    prefetch["vitals"] = bundle([])
    draft = {**draft, "status": "draft"}
    context = {"userId": "Practitioner/1", "patientId": patient["id"], "draftOrders": bundle([draft])}
    return {"hook": "order-sign", "hookInstance": draft["id"], "context": context, "prefetch": prefetch}


def day_of(chart: dict[str, list[Json]]) -> date:
    """The last day of a chart."""
    written = [r["authoredOn"][:10] for r in chart["MedicationRequest"] if r.get("authoredOn")]
    written += [r["effectiveDateTime"][:10] for r in chart["Observation"] if r.get("effectiveDateTime")]
    return date.fromisoformat(max(written)) if written else date.today()


def sign(client: FlaskClient, body: bytes, name: str, tally: Tally) -> None:
    start = time.perf_counter()
    answer = client.post(URL, data=body, content_type="application/json")
    tally.seconds.append((time.perf_counter() - start, name))
    tally.orders += 1
    if answer.status_code != 200:
        tally.errors.append(f"{name}: {answer.status_code}")
        return
    cards = (answer.get_json() or {})["cards"]
    tally.silent += not cards
    tally.alerted += any(card["indicator"] != "info" for card in cards)
    for card in cards:
        not_checked = card["source"]["topic"]["code"] == "not-checked"
        tally.cards["not checked" if not_checked else card["indicator"]] += 1
        tally.suggested += "suggestions" in card
        if card["indicator"] != "info":
            tally.summaries[card["summary"]] += 1


def run(app: Flask, folder: Path, ended: bool, renew: bool, as_written: bool = False) -> Tally:
    tally, client = Tally(), app.test_client()
    patients, charts = read(folder)
    for number, (identity, patient) in enumerate(patients.items()):
        app.config["MEDSAFE_TODAY"] = day_of(charts[identity])
        for place, draft in enumerate(charts[identity]["MedicationRequest"]):
            if ended or draft.get("status") == "active":
                chart = before(charts[identity], draft) if as_written else charts[identity]
                if as_written:
                    app.config["MEDSAFE_TODAY"] = date.fromisoformat(draft["authoredOn"][:10])
                body = json.dumps(call(patient, chart, draft, renew)).encode()
                sign(client, body, f"patient {number}, order {place}", tally)
    return tally


def report(tally: Tally) -> Iterator[str]:
    yield f"{tally.orders} orders, {len(tally.errors)} errors"
    yield from tally.errors[:20]
    for indicator in ("critical", "warning", "info", "not checked"):
        yield f"{indicator}: {1000 * tally.cards[indicator] / max(tally.orders, 1):.0f} cards per 1,000 orders"
    yield f"orders with a critical or warning card: {100 * tally.alerted / max(tally.orders, 1):.1f} %; with no card: {tally.silent}"
    yield f"cards with something to click: {1000 * tally.suggested / max(tally.orders, 1):.0f} per 1,000 orders"
    times = sorted(seconds for seconds, _ in tally.seconds)
    if times:
        yield f"median {1000 * statistics.median(times):.1f} ms, 95th percentile {1000 * times[int(0.95 * len(times))]:.1f} ms"
    yield from (
        f"slowest: {1000 * seconds:.1f} ms, {name}" for seconds, name in sorted(tally.seconds, reverse=True)[:3]
    )
    yield from (f"{count:4} × {summary}" for summary, count in tally.summaries.most_common(15))


def main() -> None:
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    app = create_app()
    if "cds" not in app.blueprints:
        app.register_blueprint(cds.blueprint)
    tally = run(app, Path(sys.argv[1]), "--all" in sys.argv, "--renew" in sys.argv, "--as-written" in sys.argv)
    print("\n".join(report(tally)))


if __name__ == "__main__":
    main()

"""`GET /v1/drugs`, `GET /v1/drugs/{id}`, `GET /v1/knowledge` and `GET /v1/graph`."""

from __future__ import annotations

from collections import Counter

import orjson
from flask import Blueprint, Response, request

from medsafe import render
from medsafe.context.engine import Engine
from medsafe.graph.export import as_graphml, as_node_link, as_svg, subgraph
from medsafe.graph.network import build_network
from medsafe.library.diff import plain
from medsafe.model.vocabulary import SECTIONS
from medsafe.web.checks import drugs_asked
from medsafe.web.exchange import engine, reply, service
from medsafe.web.problems import Problem

blueprint = Blueprint("knowledge", __name__)


@blueprint.get("/v1/drugs")
def search() -> Response:
    """Drugs by name, typo-tolerant."""
    query = request.args.get("q", "").strip()[:200]
    if not query:
        raise Problem(
            422, "Give a name to search for.", [{"field": "q", "code": "invalid-input", "message": "expected ?q=name"}]
        )
    found = engine().names.search(query, limit=10)
    return reply({"drugs": [{"id": m.id, "name": m.name, "match": m.match, "score": round(m.score, 1)} for m in found]})


@blueprint.get("/v1/drugs/<drug_id>")
def drug(drug_id: str) -> Response:
    """All we know of one drug."""
    current = engine()
    entry = current.index.drugs.get(drug_id)
    if entry is None:
        candidates = [
            {"id": c.id, "name": c.name, "score": round(c.score, 1)}
            for c in current.names.candidates(drug_id.replace("-", " "))
        ]
        raise Problem(
            404,
            f"There is no drug {drug_id!r}.",
            [{"field": "id", "code": "unknown-drug", "message": "see candidates"}],
            candidates=candidates,
        )
    shown = plain(entry.drug)
    shown["inherits"] = {
        "classes": sorted(entry.tags - {drug_id}),
        "effects": plain(entry.effects[len(entry.drug.effects) :]),
        "cautions": plain(entry.cautions[len(entry.drug.cautions) :]),
    }
    return reply({"drug": shown, "disclaimer": render.NOT_VALIDATED})


def _coverage(current: Engine) -> dict[str, dict[str, int]]:
    return {
        section: dict(sorted(Counter(d.coverage.get(section, "gap") for d in current.knowledge.drugs.values()).items()))
        for section in SECTIONS
    }


@blueprint.get("/v1/knowledge")
def knowledge() -> Response:
    """What is loaded: version, counts, coverage, sources, review dates."""
    current = engine()
    k = current.knowledge
    state = service().state
    drugs = k.drugs.values()
    statuses = Counter(s.status for d in drugs for s in d.sources.values()) + Counter(
        s.status for s in k.sources.values()
    )
    return reply(
        {
            "version": k.version,
            "digest": k.digest,
            "released_on": k.released_on.isoformat(),
            "release": state.release if state else None,
            "counts": {
                "drugs": len(k.drugs),
                "classes": len(k.classes),
                "pathways": len(k.pathways),
                "effects": len(k.effects),
                "interactions": len(k.interactions),
                "conditions": len(k.conditions),
                "symptoms": len(k.symptoms),
                "conversion_rows": len(k.conversion),
                "names": len(current.names),
            },
            "coverage": _coverage(current),
            "sources": dict(sorted(statuses.items())),
            "review": {
                "second_read": sum(d.record.second_read_on is not None for d in drugs),
                "clinically_signed_off": sum(bool(d.record.clinical_sign_off) for d in drugs),
                "earliest_due": min((d.record.review_due_on.isoformat() for d in drugs), default=None),
            },
            "opioid_tables": sorted({r.table for r in k.conversion}),
            "tailoring": {"switched_off": list(current.policy.switched_off)},
            "canaries_failed": list(service().failures),
            "disclaimer": render.NOT_VALIDATED,
        }
    )


@blueprint.get("/v1/graph")
def graph() -> Response:
    """The part of the graph around some drugs, as node-link JSON, GraphML or SVG by `Accept`."""
    current = engine()
    ids: list[str] = []
    unknown: list[str] = []
    for name in dict.fromkeys(drugs_asked()):
        found = current.names.resolve_name(name)
        known = [c.drug_id for c in found.components if c.drug_id in current.index.drugs]
        ids += known
        unknown += [] if known else [name]
    if unknown:
        raise Problem(
            422,
            "A picture without them would look complete: name only drugs that are known.",
            [{"field": "drugs", "code": "unknown-drug", "message": f"{name!r} is not known"} for name in unknown],
        )
    part = subgraph(build_network(current.knowledge), ids)
    wanted = request.accept_mimetypes.best_match(
        ("application/json", "application/graphml+xml", "image/svg+xml"), "application/json"
    )
    if wanted == "image/svg+xml":
        return Response(as_svg(part), mimetype="image/svg+xml")
    if wanted == "application/graphml+xml":
        return Response(as_graphml(part), mimetype="application/graphml+xml")
    return Response(orjson.dumps(as_node_link(part)), mimetype="application/json")

"""`/openapi.json` and `/docs`: the contract, generated from the schemas that the service itself uses."""

from __future__ import annotations

from functools import cache
from html import escape
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from flask import Blueprint, Response
from marshmallow import fields

from medsafe import __version__
from medsafe import request as case_schema
from medsafe.model.vocabulary import ACTIONS, ADDED_HAZARDS, HAZARDS, KINDS, ROUTES, SEVERITY_WORDS
from medsafe.render import NOT_VALIDATED
from medsafe.web import answers
from medsafe.web.answers import ref, text
from medsafe.web.conversion import ConversionSchema
from medsafe.web.exchange import reply

blueprint = Blueprint("docs", __name__)


def _answer(description: str, schema: Any) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _errors(*statuses: int) -> dict[str, Any]:
    words = {
        400: "malformed JSON",
        401: "no valid API key",
        403: "not allowed here",
        404: "unknown",
        413: "too large",
        415: "wrong media type",
        422: "the body breaks the schema",
        429: "too many requests",
        503: "knowledge not loaded",
    }
    return {
        str(s): {
            "description": words[s],
            "content": {"application/problem+json": {"schema": ref("Problem")}},
        }
        for s in statuses
    }


def _post(summary: str, schema: Any, answer: Any) -> dict[str, Any]:
    return {
        "post": {
            "summary": summary,
            "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
            "responses": {"200": _answer("the answer", answer), **_errors(400, 401, 413, 415, 422, 429, 503)},
        }
    }


def _get(summary: str, parameters: list[dict[str, Any]], answer: Any, *errors: int) -> dict[str, Any]:
    return {
        "get": {
            "summary": summary,
            "parameters": parameters,
            "responses": {"200": _answer("the answer", answer), **_errors(*sorted({*errors, 401, 429}))},
        }
    }


def _query(name: str, description: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": "query",
        "required": True,
        "description": description,
        "schema": text(minLength=1, pattern=r"\S"),
    }


def _plugin() -> MarshmallowPlugin:
    plugin = MarshmallowPlugin()
    kinds: dict[type[fields.Field[Any]], dict[str, Any]] = {
        case_schema.Number: {"type": ["number", "null"]},
        case_schema.Lab: {"type": ["object", "number", "null"], "description": "{value, unit, taken_on, upper_limit}"},
        case_schema.Condition: {
            "description": "a name, or {system, code, text}",
            "anyOf": [text(), {"type": "object", "additionalProperties": text()}],
        },
        case_schema.Allergy: {
            "description": "a substance, or {substance, reaction}",
            "anyOf": [text(), {"type": "object", "required": ["substance"], "properties": {"substance": text()}}],
        },
        case_schema.Drug: {
            "description": "a name, or {system, code}",
            "anyOf": [
                {"type": "string", "pattern": r"\S"},
                {
                    "type": "object",
                    "required": ["system", "code"],
                    "properties": {"system": text(), "code": text(pattern=r"\S")},
                },
            ],
        },
        case_schema.Route: {"type": ["string", "null"], "enum": [*sorted(ROUTES), None]},
    }
    plugin._kinds = kinds  # type: ignore[attr-defined]
    return plugin


@cache
def openapi() -> dict[str, Any]:
    """The OpenAPI 3.1 document."""
    plugin = _plugin()
    spec = APISpec(
        title="medsafe",
        version=__version__,
        openapi_version="3.1.0",
        plugins=[plugin],
        info={"description": NOT_VALIDATED},
    )
    assert plugin.converter is not None

    def described(self: Any, field: fields.Field[Any], **_: Any) -> dict[str, Any]:
        shape = next((dict(shape) for kind, shape in plugin._kinds.items() if isinstance(field, kind)), {})  # type: ignore[attr-defined]
        if isinstance(field, case_schema.Number) and field.positive:
            shape["exclusiveMinimum"] = 0
        if isinstance(field, case_schema.Route) and not field.allow_none:
            shape = {"type": "string", "enum": sorted(ROUTES)}
        return shape

    plugin.converter.add_attribute_function(described)  # type: ignore[no-untyped-call]
    for name, schema in answers.NAMED.items():
        spec.components.schema(name, schema)
    spec.components.schema("Case", schema=case_schema.CaseSchema)
    spec.components.schema("Conversion", schema=ConversionSchema)
    drugs = _query("drugs", "names, separated by commas")
    paths = {
        "/v1/check": _post(
            "One patient, one regimen: everything we can say about it",
            ref("Case"),
            ref("Review"),
        ),
        "/v1/opioids/convert": _post("Opioid to opioid, with the working", ref("Conversion"), ref("Converted")),
        "/v1/organ-function": _post("Renal and hepatic estimates, with the working", ref("Case"), ref("OrganFunction")),
        "/v1/drugs": _get("Search drugs, typo-tolerant", [_query("q", "part of a name")], answers.FOUND, 422, 503),
        "/v1/drugs/{id}": _get(
            "All we know of a drug",
            [{"name": "id", "in": "path", "required": True, "schema": text()}],
            {"type": "object"},
            404,
            503,
        ),
        "/v1/interactions": _get(
            "What the graph says of these drugs, no patient needed", [drugs], {"type": "object"}, 422, 503
        ),
        "/v1/graph": _get(
            "The graph around these drugs: node-link JSON, GraphML or SVG by Accept",
            [drugs],
            {"type": "object"},
            422,
            503,
        ),
        "/v1/knowledge/reload": {
            "post": {
                "summary": "Load the data again; bad data is refused and the old stays in service",
                "responses": {"202": _answer("loading", {"type": "object"}), **_errors(401, 403, 429, 503)},
            }
        },
        "/v1/knowledge": _get("Version, digest, counts, coverage, review dates", [], {"type": "object"}, 503),
        "/livez": _get("Process alive", [], {"type": "object"}),
        "/readyz": _get("Knowledge loaded and self-test passed", [], {"type": "object"}, 503),
    }
    for path, operations in paths.items():
        spec.path(path, operations=operations)
    return spec.to_dict()


@blueprint.get("/openapi.json")
def document() -> Response:
    """The OpenAPI document."""
    return reply(openapi())


@blueprint.get("/docs")
def page() -> Response:
    """The same contract for people."""
    rows = []
    for path, operations in openapi()["paths"].items():
        for method, operation in operations.items():
            rows.append(
                f"<tr><td><code>{method.upper()} {escape(path)}</code></td><td>{escape(operation['summary'])}</td></tr>"
            )
    words = "".join(
        f"<h2>{escape(title)}</h2><p>{escape(', '.join(items))}</p>"
        for title, items in (
            ("Severities", SEVERITY_WORDS),
            ("Kinds of findings", KINDS),
            ("Hazards", sorted(HAZARDS)),
            ("Hazards beyond the contract", [f"{code}: {words}" for code, words in ADDED_HAZARDS.items()]),
            ("Actions", ACTIONS),
        )
    )
    html = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>medsafe API</title><style>'
        "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1f24}"
        "td{padding:.3rem .8rem .3rem 0;vertical-align:top}code{background:#f2f4f6;padding:.1rem .3rem;border-radius:3px}.note{border-left:4px solid #a3182e;padding-left:.8rem}"
        f'</style><h1>medsafe API</h1><p class="note">{escape(NOT_VALIDATED)}</p><table>{"".join(rows)}</table>'
        f'<p>The whole contract, for machines: <a href="/openapi.json">/openapi.json</a>.</p>{words}</html>'
    )
    return Response(html, mimetype="text/html")

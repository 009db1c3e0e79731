"""`POST /v1/check`, `POST /v1/organ-function`, `POST /v1/opioids/convert` and `GET /v1/interactions`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, g, request
from marshmallow import ValidationError

from medsafe import render
from medsafe.context.context import estimates_missing
from medsafe.context.organs import judge_organs
from medsafe.context.patient import read_patient
from medsafe.interactions import interactions_of
from medsafe.model.case import Case
from medsafe.model.findings import merge_notices
from medsafe.request import read_body, unknown_keys
from medsafe.web.conversion import conversion_answer
from medsafe.web.exchange import body, engine, judged, reply
from medsafe.web.problems import Problem, from_schema

blueprint = Blueprint("checks", __name__)


def read_case(found: dict[str, Any]) -> Case:
    """A Case from a body, or a problem with everything that is wrong."""
    try:
        return read_body(found)
    except ValidationError as error:
        raise from_schema(error) from None


@blueprint.post("/v1/check")
def check() -> Response:
    """One patient, one regimen: everything that can be said about it."""
    found = body()
    result = judged(read_case(found))
    ignored = tuple(unknown_keys(found))
    if ignored:
        notices = merge_notices((*result.notices, *ignored))
        status = "incomplete" if result.status == "all-clear" else result.status
        result = replace(result, notices=notices, complete=False, status=status)
    g.shown = render.review(result)
    return reply(g.shown)


@blueprint.post("/v1/organ-function")
def organ_function() -> Response:
    """Every renal and hepatic estimate from the given values, with the working.

    They stand under `organ_function` as well, where a review has them, so that one reader serves both answers.
    """
    current = engine()
    found = body()
    case = read_case(found)
    patient = read_patient(case, current.conditions, current.knowledge.wording, current.policy.patient)
    organ = judge_organs(patient)
    notices = merge_notices((*patient.notices, *estimates_missing(organ, patient.values), *unknown_keys(found)))
    return reply(
        {
            **organ.shown,
            "organ_function": organ.shown,
            "notices": [render.notice(n) for n in notices],
            "knowledge": {"version": current.knowledge.version, "digest": current.knowledge.digest},
        }
    )


@blueprint.post("/v1/opioids/convert")
def convert() -> Response:
    """Opioid to opioid, with the working."""
    return reply(conversion_answer(body(), engine()))


@blueprint.get("/v1/interactions")
def interactions() -> Response:
    """What the graph says of these drugs for an ordinary adult at usual doses."""
    return reply(interactions_of(drugs_asked(), engine()))


def drugs_asked() -> list[str]:
    """The names of `?drugs=a,b,c`.

    Raises
    ------
    Problem: when there are none, or more than a regimen ever holds.
    """
    asked = ",".join(request.args.getlist("drugs"))
    names = [name.strip() for name in asked.split(",") if name.strip()]
    if not names:
        raise Problem(
            422,
            "Name at least one drug.",
            [{"field": "drugs", "code": "invalid-input", "message": "expected ?drugs=a,b,c"}],
        )
    if len(names) > 60:
        raise Problem(
            422, "At most 60 drugs.", [{"field": "drugs", "code": "invalid-input", "message": "at most 60 drugs"}]
        )
    return names

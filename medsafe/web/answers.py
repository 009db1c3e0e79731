"""The shapes of the answers, as `/openapi.json` shows them: closed, so that an answer can't hold what is not described."""

from __future__ import annotations

from typing import Any

from medsafe.model.vocabulary import ACTIONS, ADDED_HAZARDS, HAZARDS, KINDS, NOTICE_CODES, SEVERITY_WORDS

Shape = dict[str, Any]


def text(**more: Any) -> Shape:
    """A string."""
    return {"type": "string", **more}


def listed(items: Shape, **more: Any) -> Shape:
    """A list of one shape."""
    return {"type": "array", "items": items, **more}


def table(properties: dict[str, Any], required: list[str] | None = None, **more: Any) -> Shape:
    """An object with these keys and no other; all are required unless `required` names those that are."""
    keys = list(properties) if required is None else required
    return {"type": "object", "required": keys, "properties": properties, "additionalProperties": False, **more}


def maybe(shape: Shape) -> Shape:
    """The shape or null."""
    return {**shape, "type": [shape["type"], "null"]}


def ref(name: str) -> Shape:
    """One of the named shapes."""
    return {"$ref": f"#/components/schemas/{name}"}


# How one thing of a path bears on the next, in what a size is measured, where it comes from, and what a notice may say.
RELATIONS = (
    "activated-by",
    "caution-in",
    "contains",
    "contributes-to",
    "counts-as",
    "cross-reacts-with",
    "dosed-by",
    "given-by",
    "induced",
    "induces",
    "inhibited",
    "inhibits",
    "interacts-with",
    "is-a",
    "judged-by",
    "lacks",
    "limited-by",
    "recorded-allergy",
    "same-class-as",
    "substrate-of",
)
MEASURES = ("activation-left", "auc-ratio", "burden-score", "dose-factor", "dose-ratio", "ome-mg-per-day")
BASES = ("derived", "predicted", "record", "sum of weights and patient points", "table")
RULES = (
    "allergy",
    "caution",
    "duplicate",
    "effect",
    "limit",
    "opioid",
    "organ",
    "pathway",
    "record",
    "route",
    "stop",
    "time",
)
NUMBER: Shape = {"type": "number"}
WHOLE: Shape = {"type": "integer"}
TRUTH: Shape = {"type": "boolean"}
TEXTS = listed(text())
WORKING = maybe(text(description="the figure, worked out; null where a value is missing"))
AMOUNT = table({"value": NUMBER, "unit": text()})
KNOWLEDGE = table({"version": text(), "digest": text(), "released_on": text()}, ["version", "digest"])
ORDER = table(
    {
        "drug": text(),
        "dose": NUMBER,
        "unit": text(),
        "route": text(),
        "form": text(),
        "times_per_day": NUMBER,
        "interval_h": NUMBER,
        "max_times_per_day": NUMBER,
        "prn": TRUTH,
    },
    [],
)
SOURCE = table(
    {
        "id": text(),
        "title": text(),
        "locator": text(),
        "url": text(),
        "status": text(enum=["opened", "recalled", "unsourced"]),
    }
)
FITTING = table(
    {"replaces": text(), "order": ORDER, "daily_dose": maybe(AMOUNT), "cautions": TEXTS},
    description="only where the order is too much: the most of it that passes every check, or null",
)
FINDING = table(
    {
        "id": text(),
        "kind": text(enum=list(KINDS)),
        "hazard": text(
            enum=sorted(HAZARDS),
            description="Beyond the codes of the contract: "
            + "; ".join(f"{code}, {words}" for code, words in ADDED_HAZARDS.items()),
        ),
        "severity": text(enum=list(SEVERITY_WORDS)),
        "interruptive": TRUTH,
        "new": TRUTH,
        "drugs": TEXTS,
        "orders": TEXTS,
        "summary": text(maxLength=139),
        "consequence": text(),
        "mechanism": text(),
        "path": listed(
            table(
                {
                    "from": text(),
                    "relation": text(enum=list(RELATIONS)),
                    "to": text(),
                    "strength": text(),
                    "share": text(),
                },
                ["from", "relation", "to"],
            )
        ),
        "magnitude": maybe(
            table(
                {
                    "measure": text(enum=list(MEASURES)),
                    "value": NUMBER,
                    "class": text(enum=["strong", "moderate", "weak", "none", ""]),
                    "basis": text(enum=list(BASES)),
                }
            )
        ),
        "management": TEXTS,
        "monitoring": TEXTS,
        "modifiers": TEXTS,
        "easiest_to_change": text(),
        "evidence": text(),
        "sources": listed(SOURCE),
        "rule": text(pattern=f"^({'|'.join(RULES)}):", description="the rule behind it, by kind and id"),
        "fitting_order": maybe(FITTING),
    }
)
FINDING["required"].remove("fitting_order")
NOTICE = table(
    {
        "code": text(enum=list(NOTICE_CODES)),
        "field": text(),
        "value": {"type": ["string", "number", "boolean", "null", "object", "array"]},
        "message": text(),
        "blocks": listed(text(pattern="^[a-z][a-z0-9 -]*$"), description="checks that could not be done in full"),
        "candidates": listed(table({"id": text(), "name": text(), "score": NUMBER})),
    },
    ["code", "field", "value", "message", "blocks"],
)
SUGGESTION = table(
    {
        "id": text(),
        "rank": WHOLE,
        "for": text(),
        "action": text(enum=list(ACTIONS)),
        "drug": maybe(text()),
        "order": maybe(ORDER),
        "daily_dose": maybe(AMOUNT),
        "breakthrough": maybe(ORDER),
        "label": text(maxLength=139),
        "rationale": text(),
        "reasons": TEXTS,
        "in_place_of": listed(text(), description="orders that are to be stopped when this is given"),
        "cautions": listed(
            table({"severity": text(enum=list(SEVERITY_WORDS)), "hazard": text(), "drugs": TEXTS, "summary": text()})
        ),
        "monitoring": TEXTS,
        "titration": text(),
        "review_after": text(),
        "evidence": text(),
        "sources": listed(SOURCE),
    }
)
EXCLUDED = table({"for": text(), "action": text(), "drug": maybe(text()), "because": TEXTS, "sources": listed(SOURCE)})
LINE = table(
    {
        "order": text(),
        "drug": text(),
        "ome_mg_per_day": maybe(NUMBER),
        "ome_mg_per_dose": maybe({**NUMBER, "description": "of one as-needed dose"}),
        "working": text(),
    }
)
DISAGREEMENT = table(
    {
        "drug": text(),
        "route": text(),
        "unit": text(),
        "used": maybe(NUMBER),
        "published": listed(table({"table": text(), "factor": NUMBER, "source": text()})),
    },
    description="published tables that differ from the one used",
)
OPIOIDS = table(
    {
        "ome_mg_per_day": maybe(
            {**NUMBER, "description": "oral morphine equivalents, as-needed doses at the most allowed"}
        ),
        "regular_ome_mg_per_day": maybe(NUMBER),
        "lines": listed(LINE),
        "naive": {"type": ["boolean", "null"]},
        "table": text(),
        "unknown": listed(text(), description="opioid orders whose amount could not be told"),
        "disagreements": listed(DISAGREEMENT),
    }
)
RENAL = table(
    {
        "crcl_ml_min": maybe(NUMBER),
        "crcl_by_weight": table({"actual": maybe(NUMBER), "ideal": maybe(NUMBER), "adjusted": maybe(NUMBER)}),
        "egfr_ml_min_173m2": maybe(NUMBER),
        "egfr": table(
            {
                "ckd_epi_2021_creatinine": maybe(NUMBER),
                "ckd_epi_2012_cystatin_c": maybe(NUMBER),
                "ckd_epi_2021_creatinine_cystatin_c": maybe(NUMBER),
            }
        ),
        "egfr_deindexed_ml_min": maybe(NUMBER),
        "kdigo": maybe(text()),
        "albuminuria": maybe(text()),
        "aki": maybe(text()),
        "method": text(),
        "caveats": TEXTS,
        "working": table(
            {
                "crcl_ml_min": WORKING,
                "ckd_epi_2021_creatinine": WORKING,
                "ckd_epi_2012_cystatin_c": WORKING,
                "ckd_epi_2021_creatinine_cystatin_c": WORKING,
                "egfr_deindexed_ml_min": WORKING,
                "kdigo": WORKING,
                "albuminuria": WORKING,
                "aki": WORKING,
            }
        ),
    }
)
HEPATIC = table(
    {
        "child_pugh": table(
            {
                "class": maybe(text()),
                "score": maybe(WHOLE),
                "missing": TEXTS,
                "best_case": maybe(text()),
                "worst_case": maybe(text()),
            }
        ),
        "meld_3_0": maybe(WHOLE),
        "meld_na": maybe(WHOLE),
        "albi": maybe(table({"score": NUMBER, "grade": WHOLE})),
        "nci_odwg": maybe(text()),
        "caveats": TEXTS,
        "working": table(
            {"child_pugh": WORKING, "meld_3_0": WORKING, "meld_na": WORKING, "albi": WORKING, "nci_odwg": WORKING}
        ),
    }
)
CARDIAC = table({"qtc_ms": maybe(NUMBER), "method": maybe(text()), "working": table({"qtc_ms": WORKING})})
BODY_FIGURES = ("bmi", "bsa_m2_mosteller", "bsa_m2_dubois", "ideal_weight_kg", "adjusted_weight_kg")
BODY = table({**{name: maybe(NUMBER) for name in BODY_FIGURES}, "working": table(dict.fromkeys(BODY_FIGURES, WORKING))})
ORGAN_FUNCTION = table(
    {
        "body": BODY,
        "renal": RENAL,
        "hepatic": HEPATIC,
        "cardiac": CARDIAC,
        "organ_function": {
            "description": "the same four, where a review has them",
            **table({"body": BODY, "renal": RENAL, "hepatic": HEPATIC, "cardiac": CARDIAC}),
        },
        "notices": listed(ref("Notice")),
        "knowledge": KNOWLEDGE,
    }
)
REVIEW = table(
    {
        "status": text(enum=["all-clear", "findings", "incomplete", "nothing-to-check"]),
        "complete": TRUTH,
        "findings": listed(ref("Finding")),
        "notices": listed(ref("Notice")),
        "organ_function": table({"renal": RENAL, "hepatic": HEPATIC, "cardiac": CARDIAC}),
        "opioids": OPIOIDS,
        "suggestions": listed(ref("Suggestion")),
        "excluded": listed(EXCLUDED),
        "knowledge": KNOWLEDGE,
        "tailoring": table({"switched_off": TEXTS}),
        "disclaimer": text(),
    }
)
CONVERTED = table(
    {
        "ome_mg_per_day": maybe({**NUMBER, "description": "of all opioids given, as-needed doses at the most allowed"}),
        "lines": listed(LINE),
        "base": {
            "description": "what of them is converted, and why each line counts; null where nothing was converted",
            **maybe(table({"ome_mg_per_day": maybe(NUMBER), "counted": text()})),
        },
        "equianalgesic_daily_dose": maybe(AMOUNT),
        "reduction_percent": maybe(NUMBER),
        "suggested_daily_dose": maybe(AMOUNT),
        "orders": listed(ORDER, description="the regular order first, then the rescue dose where there is one"),
        "working": TEXTS,
        "changeover": listed(text(), description="when the new opioid begins and each old one ends"),
        "warnings": listed(text(), description="what to know before the new opioid is begun"),
        "findings": listed(ref("Finding")),
        "notices": listed(ref("Notice")),
        "sources": listed(SOURCE),
        "table": text(description="the published table that was used"),
        "one_way": {**TRUTH, "description": "whether its factor holds in this direction only"},
        "disagreements": listed(DISAGREEMENT),
        "knowledge": KNOWLEDGE,
        "disclaimer": text(),
    }
)
for key in ("table", "one_way"):
    CONVERTED["required"].remove(key)
FOUND = table(
    {"drugs": listed(table({"id": text(), "name": text(), "match": text(), "score": NUMBER}))},
    description="the best match first",
)
PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "errors"],
    "properties": {
        "type": text(),
        "title": text(),
        "status": WHOLE,
        "detail": text(),
        "errors": listed({"type": "object"}),
    },
}
NAMED = {
    "Finding": FINDING,
    "Notice": NOTICE,
    "Suggestion": SUGGESTION,
    "Review": REVIEW,
    "Converted": CONVERTED,
    "OrganFunction": ORGAN_FUNCTION,
    "Problem": PROBLEM,
}

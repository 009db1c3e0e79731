"""Whole patients with what must be said of them: the format in which pharmacists write cases, and its judge.

Used by the tests, by the self-test at start-up (canaries), and to show what an edit of the data changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from medsafe.model.vocabulary import SEVERITY_WORDS

SEVERITIES = ("none", *SEVERITY_WORDS)
EXPECTATIONS = frozenset(
    {"find", "not_find", "notice", "suggest", "not_suggest", "exclude", "status", "never_all_clear", "min_suggestions"}
)


# The keys of one expectation: a misspelt one would otherwise test nothing.
KEYS = {
    "find": frozenset({"drugs", "hazard", "at_least"}),
    "not_find": frozenset({"drugs", "hazard", "above"}),
    "notice": frozenset({"code", "field"}),
    "suggest": frozenset({"for", "drug", "action", "top", "max_daily_dose"}),
    "not_suggest": frozenset({"for", "drug", "action", "top"}),
    "exclude": frozenset({"for", "drug", "action", "because"}),
}


def _words(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value or [])


def _rank(word: str) -> int:
    return SEVERITIES.index(word)


def _named(drugs: list[str], finding: Mapping[str, Any]) -> bool:
    return set(drugs) <= set(finding["drugs"])


def _find(rule: Mapping[str, Any], answer: Mapping[str, Any]) -> str:
    """Empty when one finding names all the drugs with one of the hazards at the severity asked for."""
    hazards = _words(rule.get("hazard"))
    floor = _rank(rule.get("at_least", "low"))
    near = [f for f in answer["findings"] if _named(rule["drugs"], f)]
    for finding in near:
        if (not hazards or finding["hazard"] in hazards) and _rank(finding["severity"]) >= floor:
            return ""
    seen = ", ".join(f"{f['hazard']}/{f['severity']}" for f in near) or "nothing"
    return (
        f"expected {' + '.join(rule['drugs'])} {'|'.join(hazards)} at least {rule.get('at_least', 'low')}; found {seen}"
    )


def _not_find(rule: Mapping[str, Any], answer: Mapping[str, Any]) -> str:
    hazards = _words(rule.get("hazard"))
    ceiling = _rank(rule.get("above", "none"))
    for finding in answer["findings"]:
        hit = _named(rule["drugs"], finding) and (not hazards or finding["hazard"] in hazards)
        if hit and _rank(finding["severity"]) > ceiling:
            return f"did not expect {' + '.join(rule['drugs'])} {finding['hazard']} above {rule.get('above', 'none')}; found {finding['severity']}"
    return ""


def _notice(rule: Mapping[str, Any], answer: Mapping[str, Any]) -> str:
    for notice in answer["notices"]:
        if notice["code"] in _words(rule["code"]) and str(rule.get("field", "")) in notice["field"]:
            return ""
    return f"expected a notice {rule['code']} about {rule.get('field', 'anything')}"


def _matches(rule: Mapping[str, Any], item: Mapping[str, Any]) -> bool:
    keys = (("for", "for"), ("drug", "drug"), ("action", "action"))
    return all(rule.get(key) is None or item[name] in _words(rule[key]) for key, name in keys)


def _suggest(rule: Mapping[str, Any], answer: Mapping[str, Any]) -> str:
    fitting = [s for s in answer["suggestions"] if _matches(rule, s) and s["rank"] <= rule.get("top", 99)]
    if not fitting:
        seen = ", ".join(f"{s['rank']}:{s['action']} {s['drug']}" for s in answer["suggestions"][:8])
        return f"expected a suggestion {dict(rule)}; offered {seen or 'nothing'}"
    cap = rule.get("max_daily_dose")
    over = [s for s in fitting if cap is not None and s["daily_dose"] and s["daily_dose"]["value"] > cap]
    return f"{over[0]['drug']} {over[0]['daily_dose']['value']} a day is above {cap}" if over else ""


def _not_suggest(rule: Mapping[str, Any], answer: Mapping[str, Any]) -> str:
    return next(
        (
            f"did not expect the suggestion {s['action']} {s['drug']}"
            for s in answer["suggestions"]
            if _matches(rule, s) and s["rank"] <= rule.get("top", 99)
        ),
        "",
    )


def _exclude(rule: Mapping[str, Any], answer: Mapping[str, Any]) -> str:
    word = str(rule.get("because", "")).casefold()
    for item in answer["excluded"]:
        if _matches(rule, item) and any(word in reason.casefold() for reason in item["because"]):
            return ""
    return f"expected to see ruled out {dict(rule)}"


JUDGES = {
    "find": _find,
    "not_find": _not_find,
    "notice": _notice,
    "suggest": _suggest,
    "not_suggest": _not_suggest,
    "exclude": _exclude,
}


def judge(expect: Mapping[str, Any], answer: Mapping[str, Any]) -> Iterator[str]:
    """Every expectation that the answer does not meet, in words."""
    for unknown in sorted(set(expect) - EXPECTATIONS):
        yield f"unknown expectation {unknown!r}; expected one of {', '.join(sorted(EXPECTATIONS))}"
    for key, check in JUDGES.items():
        for rule in expect.get(key, ()):
            for unknown in sorted(set(rule) - KEYS[key]):
                yield f"unknown key {unknown!r} in {key}; expected one of {', '.join(sorted(KEYS[key]))}"
            wrong = check(rule, answer)
            if wrong:
                yield wrong
    if "status" in expect and answer["status"] not in _words(expect["status"]):
        yield f"expected status {expect['status']}; it is {answer['status']}"
    if expect.get("never_all_clear") and answer["status"] == "all-clear":
        yield "must not be all-clear"
    if len(answer["suggestions"]) < expect.get("min_suggestions", 0):
        yield f"expected at least {expect['min_suggestions']} suggestions; got {len(answer['suggestions'])}"

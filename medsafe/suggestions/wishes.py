"""What the patient cares about and what care aims at: how they weigh on an option and what is said with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from medsafe.context.context import Context
from medsafe.suggestions.options import Candidate

STRONGEST = 3.0  # the top of the scale on which an effect's weight is given


def _wanted(row: Mapping[str, Any], context: Context) -> bool:
    spoken = {word.strip().casefold() for word in context.case.goals.priorities}
    return bool(spoken & set(row["words"]))


def _share(row: Mapping[str, Any], candidate: Candidate, order: Mapping[str, Any] | None, context: Context) -> float:
    """How far a priority is about this option: 0 not at all, 1 fully; a sedative by the weight of its effect."""
    if candidate.option.action in row.get("actions", ()):
        return 1.0
    if order is not None and order.get("route") in row.get("routes", ()):
        return 1.0
    if order is None or candidate.drug is None or candidate.option.action in ("reduce", "hold", "stop"):
        return 0.0
    weights = [e.weight for e in context.index.drugs[candidate.drug.id].effects if e.effect in row.get("effects", ())]
    return min(max(weights, default=0.0) / STRONGEST, 1.0)


def priority_points(
    candidate: Candidate, order: Mapping[str, Any] | None, context: Context
) -> tuple[float, tuple[str, ...]]:
    """Points that the patient's own priorities add to or take from an option, and why."""
    points, reasons = 0.0, []
    for row in context.policy.priorities:
        share = _share(row, candidate, order, context) if _wanted(row, context) else 0.0
        if share:
            points += share * float(row["points"])
            reasons.append(str(row["because"]))
    return points, tuple(dict.fromkeys(reasons))


def intent_words(action: str, context: Context) -> tuple[str, ...]:
    """What to say beside an option of this kind, by what care aims at."""
    intent = context.case.goals.intent
    return tuple(row["text"] for row in context.policy.intents if intent in row["intent"] and action in row["actions"])


__all__ = ["intent_words", "priority_points"]

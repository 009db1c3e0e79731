"""The words of the data for a kind of rule, filled in: shared by the checks."""

from __future__ import annotations

from medsafe.context.context import Context
from medsafe.model.statements import Guidance


def advice_for(context: Context, kind: str, **words: str) -> Guidance:
    """What is said where a kind of rule fires and no record has words of its own.

    Parameters
    ----------
    kind: a table of `interaction_data/advice.toml`. words: what is filled in where braces stand.
    """
    found = context.index.knowledge.advice[kind]
    return Guidance(
        summary=found.summary.format(**words),
        consequence=found.consequence.format(**words),
        mechanism=found.mechanism.format(**words),
        management=tuple(line.format(**words) for line in found.management),
        monitoring=found.monitoring,
        evidence=found.evidence,
        sources=found.sources,
    )

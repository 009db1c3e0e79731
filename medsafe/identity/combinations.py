"""In what strengths combinations are sold: which of two amounts on a box belongs to which ingredient."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import permutations

from medsafe.identity.resolution import Component
from medsafe.identity.text import Strength

MOST_PARTS = 6  # ingredients of a product that are told apart by their strengths


def same_amount(known: Strength, said: Strength) -> bool:
    """Whether what was said, with its unit or without one, is the amount of a product."""
    return known.value == said.value and said.unit in ("", known.unit)


def _turned(ids: Sequence[str], said: tuple[Strength, ...], known: Mapping[str, Strength]) -> tuple[Strength, ...]:
    """What was said, put in the order of the ingredients of a product that has just these strengths; else nothing."""
    for order in permutations(said):
        if all(same_amount(known[i], strength) for i, strength in zip(ids, order, strict=True)):
            return order
    return ()


class Combinations:
    """The strengths in which each combination is known, by its ingredients."""

    def __init__(self, products: Iterable[tuple[Component, ...]]) -> None:
        self._known: dict[frozenset[str], list[dict[str, Strength]]] = {}
        for parts in products:
            strengths = {c.drug_id: c.strength for c in parts if c.strength}
            if 1 < len(strengths) == len(parts):
                self._known.setdefault(frozenset(strengths), []).append(strengths)

    def in_order_of(self, ids: Sequence[str], said: tuple[Strength, ...]) -> tuple[Strength, ...]:
        """The strengths of a combination in the order of its ingredients, whichever way round they were said.

        Where a product is known as said, or none is known with these strengths, they stay as said.
        """
        if not 1 < len(ids) == len(said) <= MOST_PARTS:
            return said
        turned = [order for known in self._known.get(frozenset(ids), ()) if (order := _turned(ids, said, known))]
        return said if not turned or said in turned else turned[0]

"""A medicine of the case: one ingredient of one order, with its dose in the units of its record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from medsafe.model.drugs import Caution, Drug, EffectWeight
from medsafe.model.statements import ANY_ORDER, Scope
from medsafe.model.vocabulary import PARENTERAL_ROUTES, ROUTE_INCLUDES


@dataclass(frozen=True, slots=True)
class Medicine:
    """One ingredient as this patient takes it.

    Doses are in the drug's `dose_unit`; None where they could not be told. `daily_dose` counts as-needed doses as the
    most allowed. `stopped_days_ago` is set for a medicine that is no longer taken.
    """

    order: str
    drug: Drug
    tags: frozenset[str]
    effects: tuple[EffectWeight, ...]
    cautions: tuple[Caution, ...]
    route: str | None
    forms: frozenset[str]
    systemic: bool
    single_dose: float | None = None
    daily_dose: float | None = None
    is_rate: bool = False
    interval_h: float | None = None
    times_per_day: float | None = None
    prn: bool = False
    single: bool = False
    new: bool = False
    indication: str = ""
    started_days_ago: float | None = None
    stopped_days_ago: float | None = None
    taken_for_days: float | None = None
    doses_last_24h: float | None = None
    product: str = ""
    phase: str = ""
    # The weight of this order on each effect that it reaches, worked out once for all the burdens it is asked about.
    weights: Mapping[str, EffectWeight] = field(init=False, compare=False, repr=False)
    # Asked for hundreds of times in a review, so fields and not properties.
    id: str = field(init=False, compare=False, repr=False)
    parenteral: bool = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "id", self.drug.id)
        object.__setattr__(self, "parenteral", self.route in PARENTERAL_ROUTES)
        object.__setattr__(self, "weights", self._weights())

    def _weights(self) -> dict[str, EffectWeight]:
        found: dict[str, EffectWeight] = {}
        for weight in self.effects:
            reaches = self.systemic or (self.route is not None and self.route in weight.scope.routes)
            if weight.weight > 0 and reaches and self.within(weight.scope):
                known = found.get(weight.effect)
                if known is None or weight.weight > known.weight:
                    found[weight.effect] = weight
        return found

    def takes_route(self, routes: frozenset[str]) -> bool:
        """Whether the order's route is one of `routes`; a route that is not known counts as one of them."""
        return self.route is None or self.route in routes or ROUTE_INCLUDES.get(self.route, "") in routes

    def within(self, scope: Scope) -> bool:
        """Whether a statement with this scope is about this order."""
        if scope is ANY_ORDER:
            return True
        if scope.routes and not self.takes_route(scope.routes):
            return False
        if scope.forms and not scope.forms & self.forms:
            return False
        if scope.single_dose_only and not self.single:
            return False
        if scope.regular_only and (self.prn or self.single):
            return False
        if scope.occasional_only and not (self.prn or self.single):
            return False
        return self._dose_within(scope)

    def may_be_within(self, scope: Scope) -> bool:
        """Whether a statement with this scope could be about this order, were its form known."""
        if self.forms or not scope.forms:
            return self.within(scope)
        return self.within(replace(scope, forms=frozenset()))

    def _dose_within(self, scope: Scope) -> bool:
        if self.daily_dose is None:
            return scope.daily_dose_below is None or scope.daily_dose_at_least is not None
        at_least = scope.daily_dose_at_least is None or self.daily_dose >= scope.daily_dose_at_least
        return at_least and (scope.daily_dose_below is None or self.daily_dose < scope.daily_dose_below)

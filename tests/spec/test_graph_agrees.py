"""The compiled index and the checks say what a plain walk of the networkx graph says, on thousands of random regimens.

Statements about some orders only (a route, a dose band) bound the answer from above: a check may use them, and must use
all that hold for every order.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import permutations
from typing import Any

import networkx as nx
import pytest

from medsafe.checks import burdens, curated, pathways
from medsafe.context.context import Context
from medsafe.context.derive import derive
from medsafe.context.engine import Engine
from medsafe.graph.network import build_network
from medsafe.interactions import ordinary_adult, usual_route
from medsafe.model.case import Case, DrugRef, Order
from medsafe.model.drugs import EffectWeight, Modulator, Substrate
from medsafe.model.findings import Finding
from medsafe.model.knowledge import Interaction
from medsafe.model.medicine import Medicine
from medsafe.model.statements import ANY_ORDER
from medsafe.model.vocabulary import ENTERAL_ROUTES

BATCHES = range(30)
REGIMENS = 100  # in a batch, looked up in the index
CASES = 12  # in a batch, put through the checks
Triple = tuple[str, str, str, str]


@pytest.fixture(scope="module")
def graph(engine: Engine) -> nx.MultiDiGraph:
    return build_network(engine.knowledge)


# The oracle: a walk along edges, knowing nothing of the index.


def closure(graph: nx.MultiDiGraph, drug: str) -> set[str]:
    """The drug's node and all that it is, directly or through its classes."""
    found, todo = {drug}, [drug]
    while todo:
        for _, above, edge in graph.out_edges(todo.pop(), data=True):
            if edge["relation"] == "is-a" and above not in found:
                found.add(above)
                todo.append(above)
    return found


def bare(node: str) -> str:
    return node.partition(":")[2] or node


def weights(graph: nx.MultiDiGraph, node: str) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for _, effect, edge in graph.out_edges(node, data=True):
        if edge["relation"] == "contributes-to":
            found.setdefault(bare(effect), []).append(edge["weight"])
    return found


def walked_weights(graph: nx.MultiDiGraph, drug: str) -> dict[str, list[float]]:
    """The drug's own weights; for the other effects the heaviest of its classes."""
    own = {effect: sorted(found) for effect, found in weights(graph, drug).items()}
    heaviest: dict[str, float] = {}
    for node in closure(graph, drug) - {drug}:
        for effect, found in weights(graph, node).items():
            heaviest[effect] = max([*found, heaviest.get(effect, 0.0)])
    return {**{effect: [weight] for effect, weight in heaviest.items()}, **own}


def walked_triples(graph: nx.MultiDiGraph, drugs: list[str]) -> set[Triple]:
    """Who acts on a pathway that whom needs: perpetrator, relation, pathway, victim."""
    acts: set[tuple[str, str, str]] = set()
    needs: set[tuple[str, str]] = set()
    for drug in drugs:
        for _, pathway, edge in graph.out_edges(drug, data=True):
            if edge["relation"] in ("inhibits", "induces"):
                acts.add((drug, edge["relation"], bare(pathway)))
            elif edge["relation"] in ("substrate-of", "activated-by"):
                needs.add((bare(pathway), drug))
    return {(*act, victim) for act in acts for pathway, victim in needs if pathway == act[2] and victim != act[0]}


def walked_pairs(graph: nx.MultiDiGraph, drugs: list[str]) -> set[str]:
    """Curated pairs with one end at or above one drug and the other at or above another drug."""
    below: dict[str, set[str]] = {}
    for drug in drugs:
        for node in closure(graph, drug):
            below.setdefault(node, set()).add(drug)
    return {
        edge["record"]
        for node, these in below.items()
        for _, other, edge in graph.out_edges(node, data=True)
        if edge["relation"] == "interacts-with" and any(a != b for a in these for b in below.get(other, ()))
    }


# What the index and the checks say.


def regimens(engine: Engine, batch: int, count: int) -> Iterator[list[str]]:
    chance, drugs = random.Random(batch), sorted(engine.index.drugs)
    for _ in range(count):
        yield chance.sample(drugs, chance.randint(2, 20))


def context_of(engine: Engine, drugs: list[str]) -> Context:
    adult: Any = engine.knowledge.policy["ordinary_adult"]
    records = [engine.index.drugs[drug].drug for drug in drugs]
    orders = [Order(f"regimen.{i}", DrugRef(name=d.name), route=usual_route(d)) for i, d in enumerate(records)]
    context = derive(Case(patient=ordinary_adult(adult), regimen=tuple(orders)), engine).context
    assert sorted(m.id for m in context.active) == sorted(drugs)
    return context


def always(statement: EffectWeight | Modulator | Substrate) -> bool:
    return statement.scope == ANY_ORDER


def indexed_triples(engine: Engine, drugs: list[str]) -> set[Triple]:
    found = set()
    for perpetrator, victim in permutations([engine.index.drugs[drug].drug for drug in drugs], 2):
        needs = {edge.pathway for edge in victim.substrate_of}
        found |= {
            (perpetrator.id, "induces" if m.induces else "inhibits", m.pathway, victim.id)
            for m in perpetrator.modulates
            if m.pathway in needs
        }
    return found


def indexed_pairs(engine: Engine, drugs: list[str]) -> set[str]:
    tags = {drug: engine.index.drugs[drug].tags for drug in drugs}
    named = {r.id: r for tag in set().union(*tags.values()) for r in engine.index.by_tag.get(tag, ())}
    return {
        record.id
        for record in named.values()
        if len(record.needs) == 2
        and any(record.needs[0].ids & tags[a] and record.needs[1].ids & tags[b] for a, b in permutations(drugs, 2))
    }


def judged_triples(context: Context) -> set[Triple]:
    """The triples that the check of pathways weighs for each victim."""
    return {
        (action.medicine.id, "induces" if action.modulator.induces else "inhibits", way_out.pathway.id, victim.id)
        for victim in context.active
        for way_out in pathways._exits(context, victim, pathways.acting_on(context))
        for action in way_out.actions
    }


def must_act(engine: Engine, triple: Triple, medicines: dict[str, Medicine]) -> bool:
    """Whether the statements behind a triple hold for every order and both medicines are where they meet."""
    perpetrator, relation, pathway, victim = medicines[triple[0]], triple[1], triple[2], medicines[triple[3]]
    modulators = [m for m in perpetrator.drug.modulates if (m.pathway, m.induces) == (pathway, relation == "induces")]
    edges = [edge for edge in victim.drug.substrate_of if edge.pathway == pathway]
    if not any(map(always, modulators)) or not any(map(always, edges)):
        return False
    if engine.knowledge.pathways[pathway].kind == "absorption":
        return perpetrator.route in ENTERAL_ROUTES and not victim.parenteral
    return perpetrator.systemic


def is_plain(record: Interaction) -> bool:
    """A pair that nothing but the two drugs decides."""
    return not (record.when or record.absent or any(end.excluding or end.scope != ANY_ORDER for end in record.needs))


# The promises.


@pytest.mark.parametrize("batch", BATCHES)
def test_drugs_meet_in_the_same_classes(engine: Engine, graph: nx.MultiDiGraph, batch: int) -> None:
    for drugs in regimens(engine, batch, REGIMENS):
        walked: dict[str, set[str]] = {}
        for drug in drugs:
            for node in closure(graph, drug):
                walked.setdefault(bare(node), set()).add(drug)
        for drug in drugs:
            assert engine.index.drugs[drug].tags == {tag for tag, members in walked.items() if drug in members}
        assert {tag: engine.index.members[tag] & set(drugs) for tag in walked} == walked


@pytest.mark.parametrize("batch", BATCHES)
def test_effects_have_the_same_contributors_and_weights(engine: Engine, graph: nx.MultiDiGraph, batch: int) -> None:
    for drugs in regimens(engine, batch, REGIMENS):
        for drug in drugs:
            indexed: dict[str, list[float]] = {}
            for weight in engine.index.drugs[drug].effects:
                indexed.setdefault(weight.effect, []).append(weight.weight)
            assert {effect: sorted(found) for effect, found in indexed.items()} == walked_weights(graph, drug), drug


@pytest.mark.parametrize("batch", BATCHES)
def test_the_same_drugs_meet_on_pathways(engine: Engine, graph: nx.MultiDiGraph, batch: int) -> None:
    for drugs in regimens(engine, batch, REGIMENS):
        assert indexed_triples(engine, drugs) == walked_triples(graph, drugs)


@pytest.mark.parametrize("batch", BATCHES)
def test_the_same_curated_pairs_can_apply(engine: Engine, graph: nx.MultiDiGraph, batch: int) -> None:
    for drugs in regimens(engine, batch, REGIMENS):
        assert indexed_pairs(engine, drugs) == walked_pairs(graph, drugs)


@pytest.mark.parametrize("batch", BATCHES)
def test_burdens_count_what_the_graph_counts(engine: Engine, graph: nx.MultiDiGraph, batch: int) -> None:
    for drugs in regimens(engine, batch, CASES):
        context = context_of(engine, drugs)
        for effect in engine.knowledge.effects:
            counted = {c.medicine.id: c.weight.weight for c in burdens.contributions(context, effect, context.active)}
            for medicine in context.active:
                known = [weight for weight in walked_weights(graph, medicine.id).get(effect, []) if weight > 0]
                assert counted.get(medicine.id, 0.0) in (0.0, *known)
                if medicine.systemic and all(always(w) for w in medicine.effects if w.effect == effect):
                    assert counted.get(medicine.id, 0.0) == max(known, default=0.0), (medicine.id, effect)


@pytest.mark.parametrize("batch", BATCHES)
def test_exposure_weighs_the_triples_of_the_graph(engine: Engine, graph: nx.MultiDiGraph, batch: int) -> None:
    for drugs in regimens(engine, batch, CASES):
        context = context_of(engine, drugs)
        medicines = {m.id: m for m in context.active}
        walked, judged = walked_triples(graph, drugs), judged_triples(context)
        assert judged <= walked
        assert {triple for triple in walked if must_act(engine, triple, medicines)} <= judged


@pytest.mark.parametrize("batch", BATCHES)
def test_curated_pairs_are_told_where_the_graph_has_them(engine: Engine, graph: nx.MultiDiGraph, batch: int) -> None:
    records = engine.knowledge.interactions
    overridden = {name for record in records.values() for name in record.overrides}
    for drugs in regimens(engine, batch, CASES):
        context = context_of(engine, drugs)
        told = {f.rule.removeprefix("record:") for f in curated.find(context) if isinstance(f, Finding)}
        told = {name for name in told if len(records[name].needs) == 2}
        assert told <= walked_pairs(graph, drugs)
        expected = walked_pairs(graph, [m.id for m in context.active if m.systemic])
        assert {name for name in expected - overridden if is_plain(records[name])} <= told

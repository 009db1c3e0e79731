"""The interaction graph: a typed directed multigraph of drugs, classes, pathways, effects and curated records.

Requests are answered from `index`; this graph is for queries, exports and pictures, and a test proves that both agree.
"""

from __future__ import annotations

import networkx as nx

from medsafe.model.drugs import Drug, EffectWeight
from medsafe.model.knowledge import Interaction, Knowledge
from medsafe.model.statements import Scope


def _scope(scope: Scope) -> dict[str, object]:
    """The parts of a scope that restrict, as edge attributes."""
    shown: dict[str, object] = {}
    if scope.routes:
        shown["routes"] = ", ".join(sorted(scope.routes))
    if scope.daily_dose_at_least is not None:
        shown["daily_dose_at_least"] = scope.daily_dose_at_least
    if scope.daily_dose_below is not None:
        shown["daily_dose_below"] = scope.daily_dose_below
    return shown


def _add_effects(graph: nx.MultiDiGraph, owner: str, effects: tuple[EffectWeight, ...]) -> None:
    for weight in effects:
        graph.add_edge(
            owner, f"effect:{weight.effect}", relation="contributes-to", weight=weight.weight, **_scope(weight.scope)
        )


def _add_drug(graph: nx.MultiDiGraph, drug: Drug) -> None:
    graph.add_node(drug.id, kind=drug.kind, name=drug.name)
    for name in drug.classes:
        graph.add_edge(drug.id, f"class:{name}", relation="is-a")
    for edge in drug.substrate_of:
        relation = "activated-by" if edge.activation else "substrate-of"
        graph.add_edge(drug.id, f"pathway:{edge.pathway}", relation=relation, share=edge.share, **_scope(edge.scope))
    for modulator in drug.modulates:
        relation = "induces" if modulator.induces else "inhibits"
        graph.add_edge(
            drug.id,
            f"pathway:{modulator.pathway}",
            relation=relation,
            strength=modulator.strength,
            ratio=modulator.ratio,
            **_scope(modulator.scope),
        )
    _add_effects(graph, drug.id, drug.effects)


def _end(knowledge: Knowledge, name: str) -> str:
    return f"class:{name}" if name in knowledge.classes else name


def _add_record(graph: nx.MultiDiGraph, knowledge: Knowledge, record: Interaction) -> None:
    """A pair is an edge at the level it was written; a pattern is a node that its parts point to."""
    if len(record.needs) == 2:
        for a in sorted(record.needs[0].ids):
            for b in sorted(record.needs[1].ids):
                graph.add_edge(
                    _end(knowledge, a),
                    _end(knowledge, b),
                    relation="interacts-with",
                    record=record.id,
                    severity=record.severity.label,
                    hazard=record.hazard,
                )
        return
    node = f"pattern:{record.id}"
    members = " + ".join(" or ".join(sorted(end.ids)) for end in record.needs)
    name = record.guidance.summary.replace("{drugs}", members)
    graph.add_node(node, kind="pattern", name=name, severity=record.severity.label)
    for end in record.needs:
        for name in sorted(end.ids):
            graph.add_edge(_end(knowledge, name), node, relation="part-of")


def build_network(knowledge: Knowledge) -> nx.MultiDiGraph:
    """The whole graph of one version of the knowledge."""
    graph = nx.MultiDiGraph(version=knowledge.version)
    for key, pathway in knowledge.pathways.items():
        graph.add_node(f"pathway:{key}", kind="pathway", name=pathway.name)
    for key, effect in knowledge.effects.items():
        graph.add_node(f"effect:{key}", kind="effect", name=effect.name)
    for key, item in knowledge.classes.items():
        graph.add_node(f"class:{key}", kind="class", name=item.name)
        for parent in item.parents:
            graph.add_edge(f"class:{key}", f"class:{parent}", relation="is-a")
        _add_effects(graph, f"class:{key}", item.effects)
        if item.allergy:
            for other, severity, _ in item.allergy.cross_reacts:
                graph.add_edge(f"class:{key}", f"class:{other}", relation="cross-reacts-with", severity=severity.label)
    for drug in knowledge.drugs.values():
        _add_drug(graph, drug)
    for record in knowledge.interactions.values():
        _add_record(graph, knowledge, record)
    return graph

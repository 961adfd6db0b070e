"""What a change reaches: the nodes of dbt's graph whose recipe is no longer that of the former
release, and what has to be there to build them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from flows.refresh.record import Node, Record

KINDS = ("model", "seed", "test")
DROPPED = ("staging", "intermediate")  # schemas whose views no release keeps
CAUSES_SHOWN = 3


@dataclass(frozen=True)
class Plan:
    """What is to be built.

    whole : why everything is built; empty where a part is
    reached : ids of the nodes that the change reaches
    run : ids of what dbt runs: what is reached, and the views that this reads
    kept : ids of the tables that stay as they are in the former release
    causes : what changed, as a person would name it
    """

    whole: str = ""
    reached: frozenset[str] = frozenset()
    run: frozenset[str] = frozenset()
    kept: frozenset[str] = frozenset()
    causes: tuple[str, ...] = ()


def plan(former: Record, now: Record) -> Plan:
    """Compare two records that have their recipes."""
    why = whole_reason(former, now)
    if why:
        return Plan(why)
    reached = {name for name, recipe in now.recipes.items() if former.recipes.get(name) != recipe}
    # A view that a release keeps is not copied: it is as quick to make again.
    standing = {
        name
        for name, node in now.nodes.items()
        if node.stored == "view" and node.relation.split(".")[0] not in DROPPED
    }
    run = _with_views(now.nodes, reached | standing)
    kept = {name for name, node in now.nodes.items() if node.is_kept and name not in run}
    return Plan(
        "", frozenset(reached), frozenset(run), frozenset(kept), causes(former, now, reached)
    )


def whole_reason(former: Record, now: Record) -> str:
    """Why everything must be built, or nothing."""
    other = [
        name
        for name in dict.fromkeys((*now.whole, *former.whole))
        if now.whole.get(name) != former.whole.get(name)
    ]
    if other:
        return f"{_listed(other)} changed"
    strange = sorted({node.kind for node in now.nodes.values()} - set(KINDS))
    if strange:
        return f"the dbt project has a {strange[0]}, which may change any table"
    return ""


def _with_views(nodes: Mapping[str, Node], wanted: Iterable[str]) -> set[str]:
    """These nodes, and what they read, near or far, as far as it is not stored as a table."""
    found: set[str] = set()
    waiting = list(wanted)
    while waiting:
        name = waiting.pop()
        if name in found or name not in nodes:
            continue
        found.add(name)
        waiting += [
            other for other in nodes[name].reads if other in nodes and not nodes[other].is_kept
        ]
    return found


def causes(former: Record, now: Record, reached: Iterable[str]) -> tuple[str, ...]:
    """What changed itself, and is not merely reached: lake tables, then models, seeds, tests."""
    lake = sorted(
        {
            table
            for name in reached
            for table in now.nodes[name].lake
            if now.lake.get(table) != former.lake.get(table)
        }
    )
    code = sorted(
        (now.nodes[name].kind != "model", now.nodes[name].kind, now.nodes[name].name)
        for name in reached
        if name not in former.nodes or former.nodes[name].code != now.nodes[name].code
    )
    return (*lake, *(f"{kind} {name}" for _, kind, name in code))


def told(plan: Plan, built_n: int, all_n: int) -> str:
    """One line for a person: how many models were built, and why these."""
    if plan.whole:
        return f"built all {all_n} models: {plan.whole}"
    if not plan.causes:
        return f"built 0 of {all_n} models: nothing that they are made from changed"
    return f"built {built_n} of {all_n} models: {_listed(plan.causes)} changed"


def _listed(names: Iterable[str]) -> str:
    listed = list(names)
    more = f" and {len(listed) - CAUSES_SHOWN} more" if len(listed) > CAUSES_SHOWN else ""
    return ", ".join(listed[:CAUSES_SHOWN]) + more

"""What the tables of a release were built from: a node of dbt's graph a line, and its recipe.

A recipe is a hash over everything that decides a table: its code as dbt compiles it, how it is
stored and described, the recipes of what it reads, and the loads in the lake that it reads. Two
tables of one recipe are the same table, so one that a release has need not be built again.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

FORM = 1  # of what is written here: another form is no basis for a partial build


@dataclass(frozen=True)
class Node:
    """A model, seed or test.

    code : digest of all that says how it is made; empty where that cannot be said for sure
    reads : the nodes that it reads, by their ids
    lake : the lake tables that it reads
    relation : schema.name in the warehouse file; empty of a test
    stored : table, view, or whatever else dbt calls it; empty of a test
    """

    kind: str
    name: str
    code: str
    reads: tuple[str, ...] = ()
    lake: tuple[str, ...] = ()
    relation: str = ""
    stored: str = ""

    @property
    def is_kept(self) -> bool:
        """Whether a release keeps it as a table, which the next one may copy."""
        return self.stored == "table"


@dataclass(frozen=True)
class Record:
    """What a release was built from.

    whole : what every table depends on, by name: where one differs, everything is built
    project : digest of the dbt project, its variables and the measures; code is compiled anew where
        it differs
    lake : table of the lake -> digest of the loads that it consists of
    nodes : id -> node
    recipes : id -> recipe
    built_in : id of a table -> the release in which it was built last
    outcomes : id of a test -> its status, how many rows failed, dbt's message
    """

    whole: Mapping[str, str]
    project: str
    lake: Mapping[str, str]
    nodes: Mapping[str, Node]
    recipes: Mapping[str, str] = field(default_factory=dict)
    built_in: Mapping[str, str] = field(default_factory=dict)
    outcomes: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        nodes = {}
        for name, node in sorted(self.nodes.items()):
            nodes[name] = {**asdict(node), "recipe": self.recipes[name]}
            if name in self.built_in:
                nodes[name]["built_in"] = self.built_in[name]
            if name in self.outcomes:
                nodes[name]["outcome"] = list(self.outcomes[name])
        return {
            "form": FORM,
            "whole": dict(self.whole),
            "project": self.project,
            "lake": dict(self.lake),
            "nodes": nodes,
        }


def record_of(said: Mapping[str, Any]) -> Record | None:
    """A record from its JSON, or None where it is of another form or cannot be read."""
    try:
        if said["form"] != FORM:
            return None
        nodes, recipes, built_in, outcomes = {}, {}, {}, {}
        for name, fields in said["nodes"].items():
            given = dict(fields)
            recipes[name] = given.pop("recipe")
            if "built_in" in given:
                built_in[name] = given.pop("built_in")
            if "outcome" in given:
                status, failures, message = given.pop("outcome")
                outcomes[name] = (status, failures, message)
            given |= {"reads": tuple(given["reads"]), "lake": tuple(given["lake"])}
            nodes[name] = Node(**given)
        return Record(
            dict(said["whole"]),
            said["project"],
            dict(said["lake"]),
            nodes,
            recipes,
            built_in,
            outcomes,
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def with_recipes(record: Record, release: str) -> Record:
    """The record with every node's recipe; what cannot be said for sure gets one that no other
    release has.
    """
    found: dict[str, str] = {}

    def recipe(name: str) -> str:
        if name not in found:
            node = record.nodes.get(name)
            if node is None or not node.code:
                found[name] = digest(["unsure", name, release])
            else:
                reads = [[other, recipe(other)] for other in sorted(set(node.reads))]
                lake = [
                    [table, record.lake.get(table, f"unknown in {release}")]
                    for table in sorted(set(node.lake))
                ]
                found[name] = digest(
                    [node.kind, node.code, node.relation, node.stored, reads, lake]
                )
        return found[name]

    recipes = {name: recipe(name) for name in record.nodes}
    return Record(record.whole, record.project, record.lake, record.nodes, recipes, record.built_in)


def lake_digests(lake_set: Path) -> dict[str, str]:
    """Lake table -> digest of the loads that a set links to for it; loads are named by their
    content and their reader.
    """
    if not lake_set.is_dir():
        return {}
    return {
        folder.name: digest(
            [
                [link.name, os.readlink(link) if link.is_symlink() else "file"]
                for link in sorted(folder.iterdir())
            ]
        )
        for folder in sorted(lake_set.iterdir())
    }


def digest(value: object) -> str:
    """Sixteen hex digits over a value that JSON can hold."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def digest_of_files(files: Iterable[Path], root: Path) -> str:
    """Sixteen hex digits over the names, from `root` on, and the bytes of files."""
    hashed = hashlib.sha256()
    for file in sorted(files):
        hashed.update(f"{os.path.relpath(file, root)}\0".encode())
        hashed.update(hashlib.sha256(file.read_bytes()).digest())
    return hashed.hexdigest()[:16]

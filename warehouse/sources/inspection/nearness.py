"""How near a file that nobody recognises came to the layouts that there are: by the heads that it
shares with their templates, and by the heads that the yearbooks' vocabulary knows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from warehouse.sources import SOURCES
from warehouse.sources.inspection.tables import Seen
from warehouse.sources.templates import templates
from warehouse.sources.yearbook.key_heads import plain_name
from warehouse.sources.yearbook.parsing import Quantity, quantity_or_reason, split_glued, split_head

LEAST, LEAST_SHARE = 2, 0.3  # heads that a template must share to be called near
NOT_TELLING = {"year", "年份", "城市", "city", "地区", "id"}  # every second table has them


@dataclass(frozen=True)
class Near:
    """A layout with the heads of its template that a file has, and those that it lacks."""

    source: str
    layout: str
    found: tuple[str, ...]
    missing: tuple[str, ...]


def nearest_layouts(seen: Sequence[Seen], most: int = 2) -> list[Near]:
    """The layouts whose templates share the most heads with one of the tables, nearest first."""
    near = []
    for heads in ({plain_name(look.head) for look in one.looks if look.head} for one in seen):
        for source in SOURCES:
            for chosen in templates(source):
                wanted = [head for head in chosen.heads if not head.isdecimal()]
                found = tuple(head for head in wanted if plain_name(head) in heads)
                telling = [head for head in found if plain_name(head) not in NOT_TELLING]
                if len(found) >= max(LEAST, LEAST_SHARE * len(wanted)) and telling:
                    missing = tuple(head for head in wanted if head not in found)
                    near.append(Near(source, chosen.layout, found, missing))
    return sorted(near, key=lambda one: (-len(one.found), len(one.missing)))[:most]


def known_heads(seen: Sequence[Seen]) -> tuple[int, int]:
    """How many heads the yearbooks' vocabulary knows with their unit, and how many more would be
    known with one.
    """
    texts = {look.head for one in seen for look in one.looks if look.head}
    said = [quantity_or_reason(split_glued(text) or split_head(text), text) for text in texts]
    reasons = [found for found in said if isinstance(found, str)]
    return (
        sum(isinstance(found, Quantity) for found in said),
        sum("unit" in reason for reason in reasons),
    )

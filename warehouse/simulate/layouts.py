"""Which sources of a simulated world can be had in which layouts, and what a user asked for."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from warehouse.errors import CitytradeError
from warehouse.simulate.writers.customs import layouts as customs_layouts
from warehouse.simulate.writers.yearbook import layouts as yearbook_layouts

LAYOUTS = {"customs": customs_layouts.LAYOUTS, "yearbook": tuple(yearbook_layouts.LAYOUTS)}


def chosen_layouts(asked: Mapping[str, str]) -> dict[str, str]:
    """Source -> layout, by its whole name or a beginning of it that no other has.

    Raises
    ------
    CitytradeError : a source that has one layout only, or a layout that it does not have; the
        nearest is named.
    """
    return {source: _chosen(source, name) for source, name in sorted(asked.items())}


def _chosen(source: str, name: str) -> str:
    if source not in LAYOUTS:
        raise CitytradeError(
            f"{source}: has no layouts to choose from{_nearest(source, LAYOUTS)}. Known:"
            f" {', '.join(sorted(LAYOUTS))}."
        )
    known = LAYOUTS[source]
    matches = [layout for layout in known if layout == name] or [
        layout for layout in known if name and layout.startswith(name)
    ]
    if len(matches) != 1:
        what = "fits several layouts" if matches else "is no layout"
        raise CitytradeError(
            f"{source}={name}: {what} of {source}{_nearest(name, matches or known)}. Known:"
            f" {', '.join(known)}."
        )
    return matches[0]


def _nearest(name: str, known: Mapping[str, object] | tuple[str, ...] | list[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""

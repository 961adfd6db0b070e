"""How the written yml looks: lists indented, and a mapping in one line where it is a `Line`."""

from __future__ import annotations

from typing import Any

import yaml


class Line(dict[str, Any]):
    """A mapping that stands in one line."""


class _Dumper(yaml.SafeDumper):
    def increase_indent(self, flow: bool = False, indentless: bool = False) -> Any:
        return super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        return True


_Dumper.add_representer(
    Line,
    lambda dumper, line: dumper.represent_mapping("tag:yaml.org,2002:map", line, flow_style=True),
)


def dump(given: Any) -> str:
    """YAML of mappings, lists and Lines, in the order given."""
    return str(yaml.dump(given, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100_000))

"""The parameters of the papers' headline relations in the simulated world, as truth.json states
them: {paper: {name: value, definition, panel, outcome, term, table, columns}}.
"""

from __future__ import annotations

from warehouse.simulate.model import allocation, exports, growth, quality

Headlines = dict[str, dict[str, dict[str, object]]]


def headline(
    value: float,
    definition: str,
    *,
    panel: str,
    outcome: str,
    term: str,
    table: str,
    columns: list[int],
) -> dict[str, object]:
    """One entry of truth.json. `value` is the coefficient of the world's equation for `outcome` on
    `term`, both as `panel` measures them; `table` and `columns` are the paper's.
    """
    return {
        "value": value,
        "definition": definition,
        "panel": panel,
        "outcome": outcome,
        "term": term,
        "table": table,
        "columns": columns,
    }


def agglomeration_exports() -> Headlines:
    """Table 1: lag, three core variables and two interactions, for each of three outcomes."""
    centres = ", ".join(f"{name} less {centre:g}" for name, centre in exports.CENTRES.items())
    found: dict[str, dict[str, object]] = {}
    for column, (outcome, coefficients) in enumerate(exports.COEFFICIENTS.items(), start=1):
        for name, value in coefficients.items():
            found[f"{outcome}.{name}"] = headline(
                value,
                f"{outcome} of a city and year = lag x {outcome} of the year before + core"
                " variables + interactions + controls + year + city + shock, in logs"
                f" ({centres}; an interaction is the product of its two parts): the coefficient of "
                + (f"L.{outcome}" if name == "lag" else name),
                panel="panel_agglomeration_exports",
                outcome=outcome,
                term=f"L.{outcome}" if name == "lag" else name,
                table="t1",
                columns=[column],
            )
    return {"agglomeration_exports": found}


def virtual_agglomeration_quality(slope: float) -> Headlines:
    """Table 2: quality of a city's headings on virtual agglomeration.

    slope : of `warehouse.simulate.model.quality.index_slope`
    """
    return {
        "virtual_agglomeration_quality": {
            "virtual_agglomeration_index": headline(
                round(quality.ON_VIRTUAL * slope, 9),
                "ln quality of a firm = its own + the city's + "
                f"{quality.ON_VIRTUAL:g} x virtual_agglomeration_index + shock;"
                " quality_index is ln quality over the range of its product, averaged with export"
                f" values: {quality.ON_VIRTUAL:g} times the mean over city, heading and year of one"
                f" over that range, {slope:.6f}",
                panel="panel_virtual_agglomeration_quality",
                outcome="quality_index",
                term="virtual_agglomeration_index",
                table="t2",
                columns=[3, 4],
            )
        }
    }


def digital_export_resilience() -> Headlines:
    """Tables 3, 6 and 8: the digital economy alone and beside the efficiency of innovation, that
    efficiency, and big-data zones.
    """
    equation = (
        "export_resilience_index of a city and year = "
        f"{growth.ON_DIGITAL:g} x digital_economy_index + {growth.ON_EFFICIENCY:g} x exp(-shortfall"
        f" of innovation) + {growth.ON_ZONE:g} x big_data_did + controls + city + year + shock"
    )
    through = growth.ON_EFFICIENCY * allocation.on_efficiency()
    both = f"{equation}: what it adds itself and through efficiency, which it raises by"
    seen = f"{equation}: the coefficient of efficiency, which the panel knows by its expectation"
    dig, aif, zone = "digital_economy_index", "innovation_allocation_sfa_index", "big_data_did"
    entries: dict[str, tuple[float, str, str, str, list[int]]] = {
        dig: (
            round(growth.ON_DIGITAL + through, 6),
            f"{both} {allocation.on_efficiency():.4f} on average",
            dig,
            "t3",
            [3, 4],
        ),
        f"{dig}.direct": (growth.ON_DIGITAL, f"{equation}: that of {dig}", dig, "t8", [2]),
        aif: (growth.ON_EFFICIENCY, seen, aif, "t8", [2]),
        zone: (growth.ON_ZONE, f"{equation}: that of {zone}", zone, "t6", [1]),
    }
    common = {"panel": "panel_digital_export_resilience", "outcome": "export_resilience_index"}
    return {
        "digital_export_resilience": {
            name: headline(value, said, **common, term=term, table=table, columns=columns)
            for name, (value, said, term, table, columns) in entries.items()
        }
    }


def trade_headlines(slope: float) -> Headlines:
    """Of the papers whose outcomes are cities' exports."""
    return (
        agglomeration_exports() | digital_export_resilience() | virtual_agglomeration_quality(slope)
    )

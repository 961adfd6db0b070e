# %% [markdown]
# # Real against simulated
#
# Three kinds of numbers meet here and never share a column: what a paper **published** about real
# cities, what the **simulated** world gives, and the **truth** that this world was made with.
# What simulated means: [explanation](../docs/explanation/simulated.md).

# %%
import pandas as pd

from analysis.papers import FOLDER, Release, load_paper
from analysis.papers.run import estimate_tables
from warehouse import connect, panel

with connect() as connection:
    told = connection.execute("select source, is_simulated, files_n from meta.sources").df()
told.set_index("source")

# %% [markdown]
# ## Names are real, numbers are not
#
# Places, codes and dates are China's. What stands beside them is not.

# %%
zones = panel("city_year", years=2018, columns=["city_name_zh", "region", "gdp_cny"])
zones.head(), zones.attrs["simulated"]

# %% [markdown]
# ## A sample's means: the paper's and ours
#
# The paper's describe China; ours describe an invented world of about the same size. They are near
# each other because the world was made so, and that says nothing about either.

# %%
slug = "ecommerce_resilience"
printed = pd.read_csv(FOLDER / slug / "published_statistics.csv").set_index("variable")
sample = panel(f"panel_{slug}")
ours = "simulated" if sample.attrs["simulated"] else "ours"
both = [name for name in printed.index if name in sample.columns]
pd.DataFrame(
    {"published": printed.loc[both, "mean"], ours: sample[both].astype(float).mean()}
).round(4)

# %% [markdown]
# ## An estimate: published, ours, and the truth
#
# The published effect is of real zones. Ours must lie near the truth of the simulated world, which
# a release of real files does not have; a cell says whether its 95 % interval holds it.

# %%
release = Release()
[table] = estimate_tables(load_paper(slug), release, ["4"])
rows = [
    {"column": cell.column, "published": cell.printed + cell.printed_stars,
     ours: f"{cell.ours:.4f}{cell.stars}", "truth": cell.truth, "holds": cell.holds}
    for cell in table.cells
    if cell.row == "DID"
]  # fmt: skip
pd.DataFrame(rows)

# %%
truths = release.truths(slug)
assert bool(truths) == release.is_simulated
{name: found["value"] for name, found in truths.items()}

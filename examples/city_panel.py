# %% [markdown]
# # A city panel in ten lines
#
# It reads the release of the nearest `citytrade.toml`: run `make refresh` first. Out of the box
# that is a **simulated world**: no number below is about a real city.

# %%
from warehouse import describe, panel

columns = ["city_name_zh", "region", "gdp_cny_2000", "export_value_usd", "hs6_n"]
cities = panel("city_year", years=(2003, 2011), columns=columns)
print(f"{len(cities):,} rows; SIMULATED: {cities.attrs['simulated']}")
cities.head()

# %% [markdown]
# Every column says what it is. A missing value is missing, never zero.

# %%
told = describe("city_year").set_index("column_name")
told.loc[columns, ["unit", "label_zh", "definition", "non_null_share"]]

# %% [markdown]
# From here on it is a frame of pandas.

# %%
by_region = cities.groupby(["region", "year"])["export_value_usd"].sum().unstack("region") / 1e9
ax = by_region.plot(logy=True, ylabel="exports, billion USD", figsize=(7, 4))
ax.set_title("SIMULATED" if cities.attrs["simulated"] else cities.attrs["release"])
assert (by_region > 0).all(axis=None)

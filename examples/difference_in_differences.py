# %% [markdown]
# # From a panel to an event study
#
# What did the pilot zones of cross-border e-commerce do to the economic resilience of their cities?
# The panel is the sample of a published paper ([which](../docs/papers.md#ecommerce_resilience)).
# Out of the box its numbers are **simulated**: what is found is what a program put there.

# %%
from matplotlib import pyplot

from analysis.estimators import (
    aggregate_effects,
    bacon_decomposition,
    callaway_santanna,
    difference_in_differences,
    event_study,
)
from warehouse import panel

sample = panel("panel_ecommerce_resilience")
print(f"{len(sample):,} rows; SIMULATED: {sample.attrs['simulated']}")
keys = ("resilience_index", "city_code", "year")
cohorts = sample.groupby("ecommerce_zone_cohort")["city_code"].nunique()
cohorts  # cities by the year of approval; 0 is never

# %% [markdown]
# One number for all cities and years: the coefficient of two-way fixed effects, clustered by city.

# %%
did = difference_in_differences(sample, *keys, cohort="ecommerce_zone_cohort")
did

# %% [markdown]
# Zones came in waves, so that number also compares new zones with old ones. How much does it?

# %%
bacon_decomposition(sample, *keys, "ecommerce_zone_cohort")

# %% [markdown]
# By years since approval: first by the regression, then each cohort against cities that have no
# zone yet.

# %%
study = event_study(sample, *keys, "ecommerce_zone_cohort", first=-4, last=4)
cohort_effects = callaway_santanna(
    sample, *keys, "ecommerce_zone_cohort", control="notyettreated", base="universal"
)
dynamic = aggregate_effects(cohort_effects, "dynamic", min_e=-4, max_e=4)
dynamic

# %%
found = dynamic.tidy().query("equation == 'event time'")
years = found["term"].astype(float)
figure, axes = pyplot.subplots(figsize=(7, 4))
reach = [found["estimate"] - found["conf_low"], found["conf_high"] - found["estimate"]]
axes.errorbar(years + 0.08, found["estimate"], reach, fmt="o", capsize=3, label="by cohort")
twoway = study.estimates
axes.plot(twoway["event_time"] - 0.08, twoway["att"], "s", mfc="none", label="regression")
axes.axhline(0, color="grey", linewidth=0.8)
axes.set(xlabel="years since approval", ylabel="effect on resilience, 95 % interval")
axes.set_title("SIMULATED" if sample.attrs["simulated"] else sample.attrs["release"])
axes.legend()

# %% [markdown]
# The sentence that goes under the figure:

# %%
print(dynamic.note())
assert len(found) == 9

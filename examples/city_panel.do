* What `citytrade export-all FOLDER --as dta` writes, from end to end.
*
*     do city_panel.do FOLDER
*
* reghdfe and ftools are on SSC: ssc install reghdfe, ssc install ftools.

version 15
args folder

use "`folder'/panel_ecommerce_resilience.dta", clear
notes _dta                          // of which release; SIMULATED, if it is
confirm variable city_code year resilience_index zone_did ln_fdi ecommerce_zone_cohort
isid city_code year
describe resilience_index zone_did

encode city_code, generate(city)
xtset city year
xtreg resilience_index zone_did ln_fdi i.year, fe vce(cluster city)
reghdfe resilience_index zone_did ln_fdi, absorb(city year) vce(cluster city)

* Something of city_year beside it. A city and year that is not there stays missing.
merge 1:1 city_code year using "`folder'/city_year.dta", keepusing(gdp_cny_2000 region) keep(master match) nogenerate
confirm variable gdp_cny_2000 region
tabulate region if year == 2018, summarize(resilience_index)

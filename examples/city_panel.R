# What `citytrade export-all FOLDER --as csv` writes, read with R alone; labels with the package haven.
#
#     Rscript city_panel.R FOLDER [FILE.dta]

arguments <- commandArgs(trailingOnly = TRUE)
folder <- arguments[1]

# Simulated panels are called so: NAME.simulated.csv.
read_panel <- function(name) {
  file <- list.files(folder, paste0("^", name, "(\\.simulated)?\\.csv$"), full.names = TRUE)
  stopifnot(length(file) == 1)
  if (grepl("simulated", file)) message(name, ": SIMULATED, not about real cities")
  read.csv(file, fileEncoding = "UTF-8-BOM", colClasses = c(city_code = "character"))
}

dictionary <- read.csv(file.path(folder, "dictionary.csv"), fileEncoding = "UTF-8-BOM")
panel <- read_panel("panel_ecommerce_resilience")
stopifnot(nchar(panel$city_code) == 4, !duplicated(panel[c("city_code", "year")]))

# Effects of cities and years as dummies: the slopes are those of fixed_effects, feols and reghdfe.
fit <- lm(resilience_index ~ zone_did + ln_fdi + city_code + factor(year), data = panel)
cat(sprintf("zone_did %.10f\n", coef(fit)["zone_did"]))
cat("unit of ln_fdi:", dictionary$unit[dictionary$column_name == "ln_fdi"][1], "\n")

if (length(arguments) > 1 && requireNamespace("haven", quietly = TRUE)) {
  labelled <- haven::read_dta(arguments[2])
  cat("label of zone_did:", attr(labelled$zone_did, "label"), "\n")
}

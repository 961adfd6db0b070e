/* A report is told by the name of its file, so that one text under two names is a report of each. What was delivered
   twice under one city and year is one report. */
select
    city_name,
    year,
    min(text) as report_text,
    min(characters_n) as characters_n,
    file_id,
    line
from {{ lake('reports__texts') }}
group by city_name, year, file_id, line

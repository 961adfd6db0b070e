/* Each year that panels hold, with the HS revision that customs used in it. */
select
    y.year::smallint as year,
    r.revision as hs_revision
from ({{ year_series() }}) as y
left join {{ ref('hs_revisions') }} as r
    on y.year between r.first_year and r.last_year

/* Each line of the 2004 census with its city of today and its ISIC Rev. 4 division. A county's code leads to the prefecture
   that held it then, and that to the city of the spine (5224 to 毕节, 3712 to 济南); an industry to the longest code of the
   crosswalk that it begins with. A line that leads nowhere keeps the reason. DECISIONS 24. */
with homes as (
    select distinct
        division_code,
        city_code
    from {{ ref('city_names') }}
    where division_code <> '4690'
),

industries as (
    select
        o.gbt2002_code,
        max_by(x.isic4_code, length(x.gbt2002_code)) filter (where x.isic4_code is not null) as isic4_code
    from (select distinct gbt2002_code from {{ ref('stg_census__output') }}) as o
    inner join {{ ref('stg_concordance__industries') }} as x
        on left(o.gbt2002_code, 4) = x.gbt2002_code or left(o.gbt2002_code, 3) = x.gbt2002_code or left(o.gbt2002_code, 2) = x.gbt2002_code
    group by o.gbt2002_code
)

select
    o.file_id,
    o.line,
    o.division_code,
    o.gbt2002_code,
    h.city_code,
    i.isic4_code,
    o.output_cny,
    case
        when h.division_code is null then 'unknown_division'
        when h.city_code is null then 'outside_spine'
        when i.isic4_code is null then 'unknown_industry'
    end as set_aside_reason
from {{ ref('stg_census__output') }} as o
left join homes as h on {{ prefecture_of('o.division_code') }} = h.division_code
left join industries as i on o.gbt2002_code = i.gbt2002_code
where o.year = 2004

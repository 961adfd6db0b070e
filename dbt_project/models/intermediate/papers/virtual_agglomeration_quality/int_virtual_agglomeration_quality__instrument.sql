/* Instruments of virtual agglomeration (virtual_agglomeration_quality, table 3): what the city had in 1984 times the
   nation's investment in information transmission, software and information technology of the year, 100 million CNY.
   DECISIONS 24. */
select
    h.city_code,
    n.year,
    h.post_offices_1984_n * n.internet_investment_cny / 1e8 as post_office_investment_instrument,
    h.telephones_1984_n * n.internet_investment_cny / 1e8 as telephone_investment_instrument
from {{ ref('int_history__city') }} as h
cross join (
    select
        year,
        max(internet_investment_cny) as internet_investment_cny
    from {{ ref('stg_census__internet_investment') }}
    group by year
) as n
where h.post_offices_1984_n is not null or h.telephones_1984_n is not null

/* The seven indicators of digital_export_resilience's table 1 for each city and year, 2011-2021; per head of
   registered people, as yearbooks count them at the end of the year. Gaps between two known years are on a straight line
   and named; ends are never extrapolated. DECISIONS 35, 56. */
with measured as (
    select
        city_code,
        year,
        100 * mobile_users_n / nullif(population_registered_n, 0) as mobile_users_per_100,
        100 * broadband_users_n / nullif(population_registered_n, 0) as broadband_users_per_100,
        internet_patents_granted_n,
        science_share,
        it_employees_n,
        telecom_revenue_cny / nullif(population_registered_n, 0) as telecom_revenue_per_head_cny,
        digital_finance_index
    from {{ ref('city_year') }}
    where year between 2011 and 2021
)

{{ with_filled_gaps('measured', digital_economy_indicators(), 'interpolated_indicators') }}

/* city_year_real: every value of city_year that is in CNY at current prices, at prices of 2000, and exports in CNY:
       x_cny_2000 = x_cny / gdp_deflator_2000;  export_value_cny = export_value_usd * cny_per_usd
   deflator_method says where the price level is from; null where there is none. DECISIONS 13, 38. */
select
    city_code,
    city_name_zh,
    year,
    gdp_deflator_2000,
    deflator_method,
    cny_per_usd,
    {% for name in nominal_columns() %}
    {{ at_2000_prices(name, 'gdp_deflator_2000') }} as {{ name }}_2000,
    {% endfor %}
    export_value_usd::double * cny_per_usd as export_value_cny,
    {{ at_2000_prices('export_value_usd::double * cny_per_usd', 'gdp_deflator_2000') }} as export_value_cny_2000
from {{ ref('city_year') }}
order by city_code, year

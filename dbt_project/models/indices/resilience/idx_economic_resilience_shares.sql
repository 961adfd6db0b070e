/* idx_economic_resilience_shares: idx_economic_resilience with spending on science and on education as shares of fiscal
   expenditure instead of amounts: the weights printed for them are those of shares. DECISIONS 16, 58. */
{{ economic_resilience(
    'share_resilience_index', {'science_expenditure_cny': 'science_share', 'education_expenditure_cny': 'education_share'}
) }}

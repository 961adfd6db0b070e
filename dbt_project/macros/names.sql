{#- A county-level division's name without its kind, so that 富阳市 and 富阳区 are known for the same place. -#}
{% macro division_stem(name) -%}
    case
        when length({{ name }}) > 2 then regexp_replace({{ name }}, '(自治县|自治旗|县|市|区|旗)$', '')
        else {{ name }}
    end
{%- endmacro %}

{#- A GB/T 2260 code's prefecture in the project's convention: 3301 for Hangzhou, 1100 for Beijing. -#}
{% macro prefecture_of(division_code) -%}
    case
        when left({{ division_code }}, 2) in ('11', '12', '31', '50') then left({{ division_code }}, 2) || '00'
        else left({{ division_code }}, 4)
    end
{%- endmacro %}

{#- A firm's name as one key for all ways of writing it: signs of full width are those of half width, brackets, blanks and
    points go, and 有限责任公司 is 有限公司. Null for what is too short to tell a firm. DECISIONS 69. -#}
{% macro firm_name_key(name) -%}
{%- set wide = '０１２３４５６７８９ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ＆' -%}
{%- set narrow = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGHIJKLMNOPQRSTUVWXYZ&' -%}
{%- set signs = '()（）<>〈〉《》【】{}｛｝“”‘’"`·•・.．。,，、;；:：*＊_＿-－—/／ 　' -%}
{%- set key = "replace(translate(upper(" ~ name ~ "), '" ~ wide ~ signs ~ "', '" ~ narrow ~ "'), '有限责任公司', '有限公司')" -%}
    case when length({{ key }}) >= 4 then {{ key }} end
{%- endmacro %}

{#- Where a firm is called: the last seven figures of its telephone (the first run of seven or more, so that area codes,
    extensions and second numbers do not matter) and its postcode. Null where either is unknown, or one figure over and
    over. DECISIONS 69. -#}
{% macro firm_contact_key(telephone, postcode) -%}
{%- set run = "regexp_extract(" ~ telephone ~ ", '[0-9]{7,}', 0)" -%}
    case
        when
            length({{ run }}) >= 7
            and replace(right({{ run }}, 7), right({{ run }}, 1), '') <> ''
            and regexp_extract({{ postcode }}, '^[0-9]{6}$', 0) <> ''
            and {{ postcode }} <> '000000'
            then right({{ run }}, 7) || ' ' || {{ postcode }}
    end
{%- endmacro %}

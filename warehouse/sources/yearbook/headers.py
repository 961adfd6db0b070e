"""The column heads of city yearbooks: which quantity, counted in which unit, for the whole city or
its districts.

`HEADERS` is the one list of them. A head is its parts in any bracket or underscore style:
地区生产总值(当年价格)(万元) on an official sheet is 地区生产总值_当年价格_全市_万元 or
地区生产总值_当年价格_亿元_全市 in a processed panel, and 地区生产总值(万元)_wc in a digitised
yearbook. Stata allows no brackets in names, so there all is glued together: 地区生产总值万元.
`parsing` takes heads apart and finds them here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# unit as published -> (what it counts, factor to the base unit); base units: CNY, USD, one, km2,
# m2, tonne, 0-1, percent.
UNITS: dict[str, tuple[str, float]] = {
    "元": ("cny", 1.0),
    "千元": ("cny", 1e3),
    "万元": ("cny", 1e4),
    "百万元": ("cny", 1e6),
    "亿元": ("cny", 1e8),
    "美元": ("usd", 1.0),
    "千美元": ("usd", 1e3),
    "万美元": ("usd", 1e4),
    "百万美元": ("usd", 1e6),
    "亿美元": ("usd", 1e8),
    "人": ("persons", 1.0),
    "千人": ("persons", 1e3),
    "万人": ("persons", 1e4),
    "户": ("users", 1.0),
    "千户": ("users", 1e3),
    "万户": ("users", 1e4),
    "张": ("beds", 1.0),
    "万张": ("beds", 1e4),
    "件": ("patents", 1.0),
    "项": ("patents", 1.0),
    "个": ("items", 1.0),
    "万个": ("items", 1e4),
    "公里": ("length", 1.0),
    "千米": ("length", 1.0),
    "万公里": ("length", 1e4),
    "平方公里": ("area", 1.0),
    "平方千米": ("area", 1.0),
    "公顷": ("area", 0.01),
    "平方米": ("floor", 1.0),
    "吨": ("mass", 1.0),
    "万吨": ("mass", 1e4),
    "%": ("share", 0.01),
    "百分比": ("share", 0.01),
    "上年=100": ("index", 1.0),
    "上年100": ("index", 1.0),
}
# Trade printed in dollars: the lake keeps what was printed, and models make yuan of it.
IN_DOLLARS = {"exports_cny": "printed_exports_usd", "imports_cny": "printed_imports_usd"}
SCOPES = {"全市": "city", "市辖区": "district", "市区": "district"}
# How digitised yearbooks end a head: whole city, or districts (under city; without counties).
SUFFIX_SCOPES = {
    "rgn": "city",
    "wc": "city",
    "city": "district",
    "duc": "district",
    "noc": "district",
}
DUPLICATE_SUFFIXES = {"x", "y"}  # left by a merge of two tables that print the same column


@dataclass(frozen=True)
class Header:
    """One head that is understood: its stem with parts joined by `_`, the unit usual with it, and
    what it counts.
    """

    stem: str
    unit: str
    indicator: str

    @property
    def factor(self) -> float:
        """From the usual unit to the base unit of the indicator."""
        return UNITS[self.unit][1]


def _headers(unit: str, indicator: str, *stems: str) -> list[Header]:
    return [Header(stem, unit, indicator) for stem in stems]


def _industry(indicator: str, sector: str, *names: str) -> list[Header]:
    """Employees of one industry: by itself, or after its sector (第一产业 of 农林牧渔业), whose
    name panels put before it.
    """
    endings = ("从业人员数", "从业人员", "城镇单位就业人员")
    stems = [f"{name}{ending}" for name in names for ending in endings]
    return _headers("人", indicator, *stems, *(f"{sector}_{stem}" for stem in (*stems, *names)))


# The first stem of an indicator is its usual one; the others are earlier or looser names of the
# same quantity.
HEADERS: tuple[Header, ...] = (
    *_headers("万元", "gdp_cny", "地区生产总值_当年价格", "地区生产总值", "国内生产总值_当年价格",
    "国内生产总值", "GDP"),
    *_headers("万元", "gdp_primary_cny", "第一产业增加值", "地区生产总值_第一产业"),
    *_headers("万元", "gdp_secondary_cny", "第二产业增加值", "地区生产总值_第二产业"),
    *_headers("万元", "gdp_tertiary_cny", "第三产业增加值", "地区生产总值_第三产业"),
    *_headers("上年=100", "gdp_index_pct", "地区生产总值指数"),
    *_headers("万人", "population_registered_n", "年末总人口", "年末户籍人口", "户籍人口"),
    *_headers("万人", "population_resident_n", "常住人口", "年末常住人口"),
    *_headers("万人", "population_nonagricultural_n", "非农业人口", "年末总人口_非农业人口"),
    *_headers("平方公里", "area_km2", "行政区域土地面积", "土地面积"),
    *_headers(
        "万美元", "fdi_usd", "当年实际使用外资金额", "当年实际利用外资金额", "实际使用外资金额",
        "实际利用外资金额",
        "外商直接投资额", "外商实际投资额", "外商直接投资实际使用额",
    ),
    *_headers("万元", "imports_cny", "货物进口额"),
    *_headers("万元", "exports_cny", "货物出口额"),
    *_headers(
        "万元", "deposits_cny", "年末金融机构人民币各项存款余额", "年末金融机构各项存款余额",
        "年末金融机构存款余额",
        "金融机构各项存款余额", "金融机构存款余额",
    ),
    *_headers(
        "万元", "loans_cny", "年末金融机构人民币各项贷款余额", "年末金融机构各项贷款余额",
        "年末金融机构贷款余额", "金融机构各项贷款余额", "金融机构贷款余额",
    ),
    *_headers("万元", "household_savings_cny", "城乡居民储蓄年末余额", "城乡居民人民币储蓄存款余额",
    "住户存款余额"),
    *_headers("元", "urban_disposable_income_cny", "城镇居民人均可支配收入",
    "城市居民人均可支配收入"),
    *_headers("人", "registered_unemployed_n", "城镇登记失业人员数", "年末城镇登记失业人员数"),
    *_headers(
        "万人", "employees_n", "城镇单位从业人员期末人数", "从业人员数_城镇单位",
        "年末单位从业人员数", "城镇非私营单位从业人员数",
        "城镇单位就业人员", "城镇单位就业人员数", "从业人员期末人数", "单位从业人员数",
    ),
    *_headers("万人", "tertiary_employees_n", "第三产业从业人员数", "第三产业从业人员",
    "第三产业从业人员_城镇单位"),
    *_industry("it_employees_n", "第三产业", "信息传输计算机服务和软件业",
    "信息传输软件和信息技术服务业"),
    *_headers("万元", "retail_sales_cny", "社会消费品零售总额", "社会消费品零售额"),
    *_headers("万元", "fixed_investment_cny", "固定资产投资总额", "固定资产投资总额_不含农户",
    "固定资产投资"),
    *_headers(
        "万元", "fiscal_revenue_cny", "地方财政一般预算内收入", "地方一般公共预算收入",
        "地方财政一般预算收入",
        "地方本级一般公共预算收入", "公共财政收入",
    ),
    *_headers(
        "万元", "fiscal_expenditure_cny", "地方财政一般预算内支出", "地方一般公共预算支出",
        "地方财政一般预算支出",
        "公共财政支出",
    ),
    *_headers("万元", "science_expenditure_cny", "科学技术支出", "科学支出",
    "地方一般公共预算支出中科学技术支出"),
    *_headers("万元", "education_expenditure_cny", "教育支出", "地方一般公共预算支出中教育支出"),
    *_headers("张", "hospital_beds_n", "医院卫生院床位数", "医院床位数"),
    *_headers("吨", "industrial_dust_t", "工业烟粉尘排放量", "工业颗粒物排放量"),
    *_headers("件", "patents_granted_n", "专利授权数", "专利授权量"),
    *_headers("%", "urbanisation_share", "城镇化率", "常住人口城镇化率"),
    *_headers("人", "university_students_n", "普通高等学校在校学生数", "普通本专科在校学生数",
    "普通职业本专科"),
    *_headers("万元", "telecom_revenue_cny", "电信业务收入"),
    *_headers("万户", "broadband_users_n", "互联网宽带接入用户数"),
    *_headers("万户", "mobile_users_n", "移动电话年末用户数"),
    *_headers("万户", "internet_users_n", "国际互联网用户数"),
    *_headers("平方米", "road_area_per_head_m2", "人均城市道路面积", "人均道路面积"),
    *_headers("吨", "co2_t", "碳排放量"),
    *_headers("万人", "secondary_employees_n", "第二产业从业人员数", "第二产业从业人员",
    "第二产业从业人员_城镇单位"),
    # The industries of GB/T 4754, sections A to S without G (above), as the yearbooks name them
    # under the editions of 2002 and 2011.
    *_industry("employees_agriculture_n", "第一产业", "农林牧渔业"),
    *_industry("employees_mining_n", "第二产业", "采矿业"),
    *_industry("employees_manufacturing_n", "第二产业", "制造业"),
    *_industry(
        "employees_utilities_n", "第二产业", "电力燃气及水的生产和供应业",
        "电力煤气及水的生产和供应业", "电力煤气及水生产供应业",
        "电力热力燃气及水生产和供应业",
    ),
    *_industry("employees_construction_n", "第二产业", "建筑业"),
    *_industry("employees_transport_n", "第三产业", "交通运输仓储和邮政业", "交通运输仓储及邮政业"),
    *_industry("employees_wholesale_retail_n", "第三产业", "批发和零售业", "批发零售业"),
    *_industry("employees_hotels_catering_n", "第三产业", "住宿和餐饮业", "住宿餐饮业"),
    *_industry("employees_finance_n", "第三产业", "金融业"),
    *_industry("employees_real_estate_n", "第三产业", "房地产业"),
    *_industry("employees_business_services_n", "第三产业", "租赁和商务服务业", "租赁和商业服务业"),
    *_industry("employees_science_n", "第三产业", "科学研究技术服务和地质勘查业",
    "科研技术服务和地质勘查业", "科学研究和技术服务业", "科研综合技术服务业"),
    *_industry("employees_water_environment_n", "第三产业", "水利环境和公共设施管理业"),
    *_industry("employees_resident_services_n", "第三产业", "居民服务和其他服务业",
    "居民服务修理和其他服务业"),
    *_industry("employees_education_n", "第三产业", "教育", "教育业"),
    *_industry("employees_health_n", "第三产业", "卫生社会保障和社会福利业",
    "卫生社会保险和社会福利业", "卫生和社会工作"),
    *_industry("employees_culture_n", "第三产业", "文化体育和娱乐业", "文化体育娱乐业"),
    *_industry("employees_public_administration_n", "第三产业", "公共管理和社会组织",
    "公共管理社会保障和社会组织"),
    *_headers("元", "average_wage_cny", "职工平均工资", "在岗职工平均工资",
    "城镇非私营单位在岗职工平均工资"),
    *_headers("件", "invention_patent_applications_n", "发明专利申请数", "发明专利申请量"),
    *_headers("件", "invention_patents_in_force_n", "有效发明专利数", "发明专利拥有量"),
    *_headers("件", "internet_patents_granted_n", "互联网专利授权数", "互联网专利授权量"),
    *_headers("万元", "rd_expenditure_cny", "R&D经费内部支出", "R&D内部经费支出",
    "研究与试验发展经费内部支出"),
    *_headers("项", "technology_contracts_n", "技术合同成交数", "技术合同签订数", "技术合同数"),
    *_headers("万元", "pollution_investment_cny", "污染治理完成投资", "工业污染治理完成投资",
    "工业污染治理投资完成额"),
    *_headers("公里", "highway_km", "公路里程", "境内公路里程", "公路通车里程", "境内公路总里程"),
    *_headers("万元", "industrial_fixed_assets_cny", "规模以上工业固定资产",
    "规模以上工业企业_固定资产合计", "规模以上工业固定资产合计"),
    *_headers("吨", "industrial_so2_t", "工业二氧化硫排放量", "工业SO2排放量"),
    *_headers("万吨", "industrial_wastewater_t", "工业废水排放量"),
    *_headers("万个", "internet_ports_n", "互联网宽带接入端口", "互联网宽带接入端口数"),
    *_headers("万人", "staff_n", "在岗职工平均人数", "城镇非私营单位在岗职工平均人数"),
    *_headers("万人", "private_employees_n", "城镇私营和个体从业人员", "城镇私营和个体从业人员数",
    "城镇私营和个体就业人员数"),
    # Not the revenue: services of every year at the prices of one, so that it grows with traffic.
    *_headers("万元", "telecom_volume_cny_constant", "电信业务总量"),
)  # fmt: skip


def sheet_head(header: Header) -> str:
    """The head as an official sheet prints it, for instance 地区生产总值(当年价格)(万元)."""
    stem, *rest = header.stem.split("_")
    return stem + "".join(f"({part})" for part in (*rest, header.unit))


def panel_head(header: Header, scope: str) -> str:
    """The head in a processed panel, for instance 地区生产总值_当年价格_全市_万元; scope is city or
    district.
    """
    return f"{header.stem}_{_scope_word(scope)}_{header.unit}"


def unit_scope_head(header: Header, scope: str, unit: str) -> str:
    """The head in a panel that puts the unit first, for instance
    地区生产总值_当年价格_亿元_全市.
    """
    return f"{header.stem}_{unit}_{_scope_word(scope)}"


def glued_head(header: Header, scope: str) -> str:
    """The head as a Stata name, which takes letters and digits only, for instance
    地区生产总值当年价格万元; 市辖区 stands before the unit.
    """
    unit = {"%": "百分比", "上年=100": "上年100"}.get(header.unit, header.unit)
    return re.sub(r"\W|_", "", header.stem) + ("" if scope == "city" else "市辖区") + unit


def _scope_word(scope: str) -> str:
    return "全市" if scope == "city" else "市辖区"

"""Records and fixtures of people's files that several tests read."""

from __future__ import annotations

from pathlib import Path

FILES = Path(__file__).parent / "fixtures" / "peoples_files"

RECORD = {
    "shipment_date": "200001", "exp_imp": "0", "hs_id": "84713000", "value": "1000",
    "quantity": "1", "party_id": "3301234567", "company": "甲",
    "CompanyType": "国有", "city": "杭州", "country": "110", "shipment": "一般贸易",
    "zip": "310000",
}  # fmt: skip


def said_of(report, head: str) -> str:
    return next(column["reason"] for column in report.columns if column["head"] == head)

"""The three files that become products: the data file of each spec, and for each request of the log a body and its answer."""

from __future__ import annotations

import csv
import io
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import skops.io
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

FIRST_VINTAGE, REVISION = "2025-07-16", "2026-03-31"
REVISED_FROM = 2022


class Inflation:
    """`consumer_price_inflation.csv` as an index. The file has one vintage; the revisions of 2022 on are made up: + 0.1."""

    def __init__(self, folder: Path) -> None:
        with (folder / "consumer_price_inflation.csv").open(encoding="utf-8", newline="") as lines:
            self.rows = [(row["Country Code"], int(row["Year"]), row["CPI"]) for row in csv.DictReader(lines)]
        self.economies = sorted({code for code, _year, _value in self.rows})

    def data(self) -> bytes:
        out = io.StringIO()
        writer = csv.writer(out)
        writer.writerow(["date", "series", "value", "vintage"])
        for code, year, value in self.rows:
            writer.writerow([f"{year}-12-31", code, value, FIRST_VINTAGE])
            if year >= REVISED_FROM:
                writer.writerow([f"{year}-12-31", code, self.revised(value), REVISION])
        return out.getvalue().encode()

    @staticmethod
    def revised(value: str) -> str:
        whole, _point, digits = value.partition(".")
        tenth = int(whole + (digits or "0")[:1]) + 1  # every value since 2022 is positive
        return f"{tenth / 10:.1f}{digits[1:]}"

    def body(self, number: int) -> dict[str, Any]:
        code, year, _value = self.rows[number % len(self.rows)]
        asked = {"ask": "date", "series": code, "date": f"{year}-12-31"}
        return asked if number % 2 else {**asked, "vintage": FIRST_VINTAGE}

    def answer(self, number: int) -> dict[str, Any]:
        code, year, value = self.rows[number % len(self.rows)]
        is_revised = number % 2 and year >= REVISED_FROM
        point = {"date": f"{year}-12-31", "value": self.revised(value) if is_revised else value}
        vintage = REVISION if is_revised else FIRST_VINTAGE
        return {"series": code, "points": [{**point, "vintage": vintage}]}

    bad = ({"ask": "date", "date": "2015-02-30"}, {"ask": "everything"}, {"ask": "latest", "series": "ATL"}, [])


class Divisions:
    """`administrative_divisions.csv` as a verification: does this code belong to this name and this city?"""

    def __init__(self, folder: Path) -> None:
        self.content = (folder / "administrative_divisions.csv").read_bytes()
        self.rows = list(csv.DictReader(io.StringIO(self.content.decode("utf-8"))))

    def data(self) -> bytes:
        return self.content

    def body(self, number: int) -> dict[str, Any]:
        row = self.rows[number % len(self.rows)]
        claims = {"name": row["name"], "city": row["cityCode"]}
        if number % 3 == 1:
            claims["city"] = "9999"
        return {"subject": "999999" if number % 7 == 6 else row["code"], "claims": claims}

    def answer(self, number: int) -> dict[str, Any]:
        if number % 7 == 6:
            return {"results": {"name": "not_found", "city": "not_found"}}
        return {"results": {"name": "match", "city": "mismatch" if number % 3 == 1 else "match"}}

    bad = ({"subject": "110101"}, {"claims": {"name": "东城区"}}, {"subject": "110101", "claims": {"mayor": "?"}}, "110101")


class Credit:
    """`german_credit.data` as a model: a logistic regression trained here, 700 applicants to learn from, 300 to look at."""

    numbers = (1, 4, 7, 10, 12, 15, 17)  # columns that are quantities; the other thirteen are codes

    def __init__(self, folder: Path) -> None:
        rows = [line.split() for line in (folder / "german_credit.data").read_text(encoding="ascii").splitlines()]
        self.names = [f"a{number:02d}" for number in range(1, 21)]
        self.table = pd.DataFrame([row[:20] for row in rows], columns=self.names)
        self.is_bad = [row[20] == "2" for row in rows]
        self.quantities = [self.names[column] for column in self.numbers]
        self.codes = [name for name in self.names if name not in self.quantities]
        self.table[self.quantities] = self.table[self.quantities].astype(float)

    @cached_property
    def pipeline(self) -> Pipeline:
        prepare = ColumnTransformer(
            [("numbers", StandardScaler(), self.quantities), ("codes", OneHotEncoder(handle_unknown="ignore"), self.codes)]
        )
        model = Pipeline([("prepare", prepare), ("estimate", LogisticRegression(max_iter=1000))])
        return model.fit(self.table[:700], self.is_bad[:700])

    @cached_property
    def probabilities(self) -> list[float]:
        return self.pipeline.predict_proba(self.table)[:, 1].tolist()

    @cached_property
    def artifact(self) -> bytes:
        return skops.io.dumps(self.pipeline)  # kept: each dump has its own time stamps, and other bytes are another release

    def data(self) -> bytes:
        return self.artifact

    def body(self, number: int) -> dict[str, Any]:
        return self.table.iloc[number % len(self.table)].to_dict()

    def answer(self, number: int) -> float:
        return self.probabilities[number % len(self.table)]

    @property
    def bad(self) -> tuple[Any, ...]:
        good = self.body(0)
        return {}, {**good, "a02": "six"}, {**good, "a01": 11}, {**good, "a21": 1.0}

    def fields(self) -> list[dict[str, Any]]:
        return [
            {
                "name": name,
                "kind": "number" if name in self.quantities else "text",
                "code": name.upper(),
                "text": {"zh": f"第{number}项", "en": f"Attribute {number}"},
            }
            for number, name in enumerate(self.names, start=1)
        ]


VINTAGE_DAYS = (date.fromisoformat(FIRST_VINTAGE), date.fromisoformat(REVISION))

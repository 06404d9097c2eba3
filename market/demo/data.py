"""The data behind the demo's products, made up from fixed seeds: series, protected tables, models, documents."""

from __future__ import annotations

import csv
import io
import math
import random
from datetime import date, timedelta


def index_csv(*, seed: int, series: dict[str, tuple[float, float]], first: date, last: date, step_days: int) -> bytes:
    """Dated values with a first estimate ten days on and a revision forty days on; ``series``: name → (level, swing)."""
    rng = random.Random(seed)
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\n")
    write.writerow(["series", "date", "vintage", "value"])
    for name, (level, swing) in series.items():
        day, walk = first, 0.0
        while day <= last:
            walk = 0.85 * walk + rng.gauss(0, swing / 6)
            value = level + swing * math.sin(2 * math.pi * day.timetuple().tm_yday / 365) + walk
            for wait, noise in ((10, swing / 20), (40, 0.0)):
                vintage = day + timedelta(days=wait)
                if vintage <= last:
                    write.writerow([name, day.isoformat(), vintage.isoformat(), f"{value + rng.gauss(0, 1) * noise:.2f}"])
            day += timedelta(days=step_days)
    return out.getvalue().encode()


def table_csv(*, seed: int, subject_prefix: str, rows: int, fields: dict[str, tuple[str, ...]]) -> bytes:
    """A protected table: ``subject`` 000000… and a drawn value for each field."""
    rng = random.Random(seed)
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\n")
    write.writerow(["subject", *fields])
    for number in range(rows):
        write.writerow([f"{subject_prefix}{number:06d}", *(rng.choice(values) for values in fields.values())])
    return out.getvalue().encode()


def score_model(*, seed: int, fields: dict[str, tuple[float, float, float]]) -> bytes:
    """A logistic regression on 2 000 drawn cases; ``fields``: name → (mean, spread, true weight). Bytes of a skops file."""
    import numpy as np
    import pandas as pd
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler
    from skops import io as skops_io

    rng = np.random.default_rng(seed)
    table = pd.DataFrame({name: rng.normal(mean, spread, 2000) for name, (mean, spread, _weight) in fields.items()})
    pull = sum(((table[name] - mean) / spread * weight for name, (mean, spread, weight) in fields.items()), start=-1.2)
    outcome = rng.random(2000) < 1 / (1 + np.exp(-pull))
    pipeline = Pipeline([("scale", StandardScaler()), ("model", LogisticRegression())])
    return skops_io.dumps(pipeline.fit(table, outcome))


def report_html(*, title: str, issued: date, rows: list[tuple[str, str]]) -> bytes:
    """A small dated document, in HTML, delivered as a download."""
    lines = "".join(f"<tr><td>{name}</td><td>{value}</td></tr>" for name, value in rows)
    return (
        f'<!doctype html><html lang="zh-Hans"><meta charset="utf-8"><title>{title}</title><h1>{title}</h1>'
        f"<p>签发日期 {issued.isoformat()} · 演示数据，均为虚构</p><table>{lines}</table></html>"
    ).encode()

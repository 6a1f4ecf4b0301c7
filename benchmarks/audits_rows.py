"""Seconds of the check `rows` on invented residents, and the shipped services' strongest single features on their own rows."""

from __future__ import annotations

import tempfile
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import NullPool, create_engine

from audits.check import DataQuality, SqlTable
from audits.data_quality import run_suite
from audits.row_facts import Rows
from audits.row_leaks import leaks
from audits.row_quality import RowsCheck
from governance.audit_input import expectations
from models import datasets, health_benefit, population, synthetic, youth_exclusion

if TYPE_CHECKING:
    import pandas as pd

    from models.service import Service


def _rows(frame: pd.DataFrame, service: Service) -> Rows:
    return Rows(
        frame,
        service.features,
        service.sensitive_features,
        service.need.column,
        service.person_column,
        fold=np.arange(len(frame)) % 5,
    )


def main() -> None:
    for service in (health_benefit.SERVICE, youth_exclusion.SERVICE):
        real, _ = population.check(datasets.load(service), service, outcome=True)
        for leak in leaks(_rows(real, service), 1)[:3]:
            print(
                f"{service.id}: {leak.feature} alone {leak.area:.3f} ({leak.low:.3f} to {leak.high:.3f}), {len(real)} real rows"
            )
        for n in (2_000, 20_000, 200_000):
            frame, _ = population.check(synthetic.residents(service, n, seed=3), service, outcome=True)
            given = SimpleNamespace(rows=_rows(frame, service), seed=1)
            RowsCheck().run(given)
            start = time.perf_counter()
            RowsCheck().run(given)
            print(f"{service.id}: {n:,} rows {time.perf_counter() - start:.3f} s")
        frame, _ = population.check(synthetic.residents(service, 10_000, seed=3), service, outcome=True)
        with tempfile.TemporaryDirectory() as folder:
            url = f"sqlite:///{folder}/people.db"
            frame.to_sql("people", create_engine(url, poolclass=NullPool), index=False)
            for where, rows in (("frame", frame), ("SQLite", SqlTable(url, "people"))):
                asked = DataQuality(rows, expectations(service))
                run_suite(asked)
                start = time.perf_counter()
                run_suite(asked)
                print(
                    f"{service.id}: {len(asked.expectations)} expectations on 10,000 rows, {where} {time.perf_counter() - start:.3f} s"
                )


if __name__ == "__main__":
    main()

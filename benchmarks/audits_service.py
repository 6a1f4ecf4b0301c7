"""What the whole audit of a service costs: cross-fitting, reasons, every check, the report and its page.

    OMP_NUM_THREADS=2 .venv/bin/python -P benchmarks/audits_service.py [--sizes 10000 100000 1000000] [--service ID] [--recipe NAME]

Invented residents of the service's own contract (`models.synthetic`), the shipped policy. Each size runs in a process of its
own, so that the peak of memory is its own. Budgets (issue 4): 60 s at 10,000 rows, 5 minutes at 1,000,000, 6 GB. What comes before, permits and the
ledger's entry, is measured by `run_cost.py` and `ledger_permit.py`. Exits with 1 when a budget is broken.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

from audits import html, runner
from governance import audit_input, policy
from governance.audit_input import Audience
from governance.cases import Case
from models import plugins, synthetic, training

BUDGET_S = {10_000: 60.0, 1_000_000: 300.0}
BUDGET_GB = 6.0
KIB_PER_GB = 1024 * 1024
SEED = 2026


def one(service_id: str, recipe: str | None, people: int) -> int:
    """One size: prints a line a step, then the whole; 1 where a budget is broken."""
    service = plugins.service(service_id)
    name = recipe or next(iter(service.recipes))
    rows = synthetic.residents(service, people, seed=SEED)
    fitted = training.fit(service, name, rows, seed=SEED)
    case = Case(service.id, service.registered_model, "1", f"sha256:{'0' * 64}", name, SEED, "", ("lead",))
    spent: dict[str, float] = {}

    def timed(name: str, check: object, given: object) -> object:
        started = time.perf_counter()
        try:
            return run_check(name, check, given)
        finally:
            spent[f"check {name}"] = time.perf_counter() - started

    run_check, runner.run_check = runner.run_check, timed  # type: ignore[assignment]

    started = time.perf_counter()
    crossed = training.cross_fit(service, name, rows, seed=SEED, refit=fitted.estimator)
    spent["cross-fitting"] = time.perf_counter() - started
    before = time.perf_counter()
    report = audit_input.report_on(
        service,
        case,
        policy.load(policy.shipped()),
        rows,
        crossed,
        fitted.estimator,
        fitted.facts(service),
        Audience(f"sha256:{'0' * 64}", 0, dt.date(2026, 11, 24)),
    )
    spent["first version, reasons, inputs"] = (
        time.perf_counter() - before - sum(s for n, s in spent.items() if n.startswith("check "))
    )
    before = time.perf_counter()
    written, page = report.to_json(), html.page(report)
    spent["report and page"] = time.perf_counter() - before
    whole = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KIB_PER_GB
    for step, seconds in spent.items():
        print(f"{seconds:9.2f} s  {step}")
    budget = BUDGET_S.get(people)
    held = "" if budget is None else f": budget {budget:.0f} s"
    print(
        f"{whole:9.2f} s  the whole audit of {people:,} people by {service.id} {name}{held}; load {os.getloadavg()[0]:.1f}"
    )
    print(
        f"{peak:9.2f} GB peak: budget {BUDGET_GB} GB; report of {len(written):,} bytes, page of {len(page):,}",
        flush=True,
    )
    return int((budget is not None and whole > budget) or peak > BUDGET_GB)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--service", default="health-benefit")
    parser.add_argument("--recipe", default=None)
    parser.add_argument("--here", action="store_true", help="run the one size in this process")
    given = parser.parse_args()
    if given.here:
        return one(given.service, given.recipe, given.sizes[0])
    ended = 0
    for people in given.sizes:
        command = [
            sys.executable,
            "-P",
            str(Path(__file__)),
            "--here",
            "--sizes",
            str(people),
            "--service",
            given.service,
        ]
        command += [] if given.recipe is None else ["--recipe", given.recipe]
        ended |= subprocess.run(command, check=False).returncode
    return int(ended != 0)


if __name__ == "__main__":
    sys.exit(main())

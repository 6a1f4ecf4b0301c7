"""What recording a run costs per person, without and with the values kept.

    .venv/bin/python benchmarks/ledger_use.py [PEOPLE] [ROUNDS]

Budgets (issue 2), at 100,000 enrolled people: at most 25 us a person without values, at most 25 more with them: from
the request to the signed checkpoint outside the database. Shown are medians of wall time and of processor time; on a
busy machine the latter say more. Also: permits in bulk before the run, one receipt after it, and "what was done with
my data" after all the runs. Exits with 1 when both medians break a budget.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from ledger_city import OFFER, PURPOSES

from consent.bulk import permits
from consent.ledger import Ledger
from consent.records import ConsentRequest
from consent.setup import create
from consent.uses import UseRequest
from consent.vocabulary import ConsentStatus, UseStatus

WITHOUT_VALUES = 25.0
MORE_WITH_VALUES = 25.0
TENTH = 10


def main(people: int, rounds: int) -> int:
    with tempfile.TemporaryDirectory() as folder:
        home = create(
            Path(folder) / "home",
            origin="benchmark.invalid/consent",
            purposes=PURPOSES,
            clock=lambda: datetime.now(UTC),
        )
        with Ledger.open(home) as ledger:
            return measure(ledger, [f"invented-{i}" for i in range(people)], rounds)


def measure(ledger: Ledger, people: list[str], rounds: int) -> int:
    answers = (ConsentStatus.REFUSED, *[ConsentStatus.GIVEN] * (TENTH - 1))
    ledger.record_consents(ConsentRequest(p, OFFER, answers[i % TENTH]) for i, p in enumerate(people))
    # About as long as six rounded features in JSON.
    values = [
        b'{"age":%d,"income":%d,"read12":51.2,"math12":48.7,"motheduc":12,"fatheduc":%d}'
        % (i % 90, i, i % 20)
        for i in range(len(people))
    ]
    taken: dict[str, list[tuple[float, float]]] = {"permits": [], "run": [], "run with values": []}
    last = b""
    for _ in range(rounds):
        start = now()
        allowed = permits(ledger, people, OFFER, "scoring")
        taken["permits"].append(since(start))
        for name, kept in (("run", None), ("run with values", values)):
            last = os.urandom(16)
            use = UseRequest(
                run=last, processing="scoring", purpose_id=OFFER, service="benchmark", state=allowed.state,
                numbers=allowed.numbers, statuses=np.where(allowed.permitted, UseStatus.USED, allowed.status), values=kept,
            )  # fmt: skip
            start = now()
            ledger.append_use(use)
            taken[name].append(since(start))
    medians = {
        name: [statistics.median(kind) for kind in zip(*times, strict=True)] for name, times in taken.items()
    }
    each = {name: [1e6 * seconds / len(people) for seconds in both] for name, both in medians.items()}
    for name, (wall, processor) in each.items():
        print(f"{wall:7.1f} us wall {processor:7.1f} us processor  {name}, a person of {len(people):,}")
    for name, ask in (
        ("receipt of a run", lambda: ledger.use_receipt(people[1], last)),
        ("my uses", lambda: ledger.uses(people[1])),
    ):
        start = now()
        ask()
        wall, processor = since(start)
        print(f"{1000 * wall:7.1f} ms wall {1000 * processor:7.1f} ms processor  {name}")
    more = [
        with_values - without
        for with_values, without in zip(each["run with values"], each["run"], strict=True)
    ]
    broken = 0
    for name, found, budget in (("run", each["run"], WITHOUT_VALUES), ("values", more, MORE_WITH_VALUES)):
        fails = min(found) > budget
        broken += fails
        print(
            f"{found[0]:7.1f} us wall {found[1]:7.1f} us processor  {name}: budget {budget} us{', BROKEN' if fails else ''}"
        )
    return int(broken > 0)


def now() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def since(start: tuple[float, float]) -> tuple[float, float]:
    wall, processor = now()
    return wall - start[0], processor - start[1]


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:]]
    sys.exit(main(*(numbers + [100_000, 3][len(numbers) :])))

"""Where a check gathers its faults."""

from __future__ import annotations

from dataclasses import dataclass, field

from consent.records import Fault


@dataclass
class Findings:
    """Faults in the order found."""

    faults: list[Fault] = field(default_factory=list)

    def add(self, table: str, key: str, what: str, index: int | None = None) -> None:
        """Note a fault; `what` never holds an id, a name or a value of a person."""
        self.faults.append(Fault(table, key, what, index))

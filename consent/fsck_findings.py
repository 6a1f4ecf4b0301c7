"""Where a check gathers its faults."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from consent import row_mac, store_raw
from consent.records import Fault

if TYPE_CHECKING:
    from consent.store_raw import RawRow


@dataclass
class Findings:
    """Faults in the order found."""

    faults: list[Fault] = field(default_factory=list)

    def add(self, table: str, key: str, what: str, index: int | None = None) -> None:
        """Note a fault; `what` never holds an id, a name or a value of a person."""
        self.faults.append(Fault(table, key, what, index))

    def knows(self, table: str) -> set[str]:
        """The keys of a table's rows that a fault was found in."""
        return {fault.key for fault in self.faults if fault.table == table}

    def check_mac(self, mac_key: bytes, table: str, row: RawRow) -> None:
        """Note a row that does not have the check value of its columns (consent/row_mac.py)."""
        if not row_mac.holds(mac_key, table, row):
            index = store_raw.integer(row["idx"]) if "idx" in row else None
            self.add(table, store_raw.key_of(table, row), "the row does not have its check value", index)

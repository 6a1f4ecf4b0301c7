"""placeholder."""
from consent.log import Log
from consent.records import Fault
def check(log: Log) -> list[Fault]:
    return []

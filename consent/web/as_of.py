"""What the ledger knew, and when: the query parameters `as_of_index` and `at` of the questions that can be asked of the past."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 - FastAPI reads annotations at run time
from typing import Annotated

from fastapi import Depends, Query

from consent.canonical import parse_time
from consent.errors import BadRequestError, NotCanonicalError
from consent.web.schemas import Time  # noqa: TC001 - the same


@dataclass(frozen=True)
class Moment:
    """When a question is about.

    Attributes:
        at: The instant, UTC; None: now.
        index: Only entries with a smaller index count; None: all.
    """

    at: datetime | None
    index: int | None


def moment(
    at: Annotated[
        Time | None, Query(description="The instant asked about; only what was recorded by then counts.")
    ] = None,
    as_of_index: Annotated[
        int | None, Query(ge=0, le=2**53 - 1, description="Only entries of the log with a smaller index.")
    ] = None,
) -> Moment:
    """Read the two parameters.

    Raises:
        BadRequestError: The instant is in no calendar.
    """
    try:
        return Moment(None if at is None else parse_time(at), as_of_index)
    except NotCanonicalError as error:
        raise BadRequestError("the instant is in no calendar", "write YYYY-MM-DDThh:mm:ssZ") from error


When = Annotated[Moment, Depends(moment)]

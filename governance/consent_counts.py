"""Who consented, by group: counted from the bulk permits and the population's sensitive columns, and forgotten. Pure.

What may be counted, and on what basis, is decided in docs/decisions/consent-counts.md: nothing unless the service declares a basis,
nobody who objected or had the processing restricted, and counts of groups only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from audits.consent_facts import ConsentCount, ConsentCounts
from audits.lines import UNKNOWN
from consent.vocabulary import UseStatus

if TYPE_CHECKING:
    import pandas as pd

    from consent.bulk import Permits
    from models.service import Service

_NEVER = (int(UseStatus.OBJECTED), int(UseStatus.RESTRICTED))
_WITHDRAWN = (int(UseStatus.WITHDRAWN), int(UseStatus.REVOKED))


def count(
    service: Service, frame: pd.DataFrame, permits: Permits, *, simulated: bool
) -> ConsentCounts | None:
    """Count people by group and answer.

    Args:
        service: Declares the sensitive features, and the basis on which they may be counted.
        frame: The population; its sensitive columns are read, no other.
        permits: Of the same people, in the same order.
        simulated: Whether the consents are invented.

    Returns:
        The counts; None: the service declares no basis.
    """
    if not service.statistics_basis:
        return None
    counted = ~np.isin(permits.status, _NEVER)
    status = permits.status[counted]
    answers = {
        "given": permits.permitted[counted],
        "refused": status == int(UseStatus.REFUSED),
        "withdrawn": np.isin(status, _WITHDRAWN),
    }
    answers["other"] = ~np.logical_or.reduce(list(answers.values()))
    groups = []
    for name in service.sensitive_features:
        column = frame[name].astype(object)
        labels = column.where(column.notna() & (column != ""), UNKNOWN).astype(str).to_numpy()[counted]
        for group in sorted(set(labels)):
            here = labels == group
            groups.append(
                ConsentCount(name, group, **{what: int((here & who).sum()) for what, who in answers.items()})
            )
    return ConsentCounts(tuple(groups), service.statistics_basis, int((~counted).sum()), simulated)

"""From a version and its refits to what an audit takes of its reasons: contributions, and what was asked of the models."""

from __future__ import annotations

from importlib.metadata import version as version_of
from typing import TYPE_CHECKING, Any

import numpy as np

from audits.check import Explanation, InventedPerson
from audits.probes import Deletion, Moved, Refits
from models import probing, reasons, synthetic

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from models.service import Service

_INVENTED_SEED = 7
_REFERENCE = "what is usual among the people audited: the median of a number, the commonest category"


def explanation(
    service: Service, estimator: Any, judged: pd.DataFrame, refits: Sequence[Any], seed: int
) -> Explanation:
    """Explains everybody by the version, and a sample of them by every refit.

    Args:
        service: Declares families of reasons, and directions.
        estimator: The deployed model.
        judged: The people audited.
        refits: The folds' models of the cross-fit.
        seed: Of the version: the sample is by keyed hash of the person.

    Raises:
        ExplanationRefusedError: An explanation does not add up to its model's output.
    """
    why = reasons.explain(estimator, service, judged)
    invented = synthetic.residents(service, 1, seed=_INVENTED_SEED, outcome=False)[list(service.features)]
    his = reasons.explain(estimator, service, invented)
    rows = probing.sample(service, judged, n=probing.SAMPLE, seed=seed)
    few = rows[: probing.PROBED] if len(rows) <= probing.PROBED else rows[:: len(rows) // probing.PROBED]
    probed = judged.iloc[few]
    taken = probing.taken_away(estimator, service, probed, why.contributions[few], judged, seed=seed)
    return Explanation(
        features=service.features,
        contributions=why.contributions,
        expected=why.expected,
        output=reasons.output(estimator, service, judged),
        invented=InventedPerson(
            features={str(name): value for name, value in invented.iloc[0].items()},
            contributions=his.contributions[0],
            output=float(reasons.output(estimator, service, invented)[0]),
            reasons=tuple(reasons.text(service, his.contributions[0], "en")),
        ),
        tool="shap",
        version=version_of("shap"),
        explainer=(
            f"{reasons.choice(estimator)}. Each person's contributions were added up and compared with the model's own output, since "
            "shap's own check compares shap with itself"
        ),
        labels=tuple(service.feature_texts[name]["en"] for name in service.features),
        refits=None if len(refits) < 2 else _refits(service, refits, judged, rows),  # noqa: PLR2004  one tells nothing
        monotone=tuple(
            Moved(
                name, way, *probing.over_grid(estimator, service, probed, name, judged[name].to_numpy(float))
            )
            for name, way in service.monotone.items()
        ),
        deletion=None
        if len(few) < 2  # noqa: PLR2004  an interval takes two
        else Deletion(_REFERENCE, taken.before, taken.strongest, taken.random),
    )


def _refits(service: Service, refits: Sequence[Any], judged: pd.DataFrame, rows: Any) -> Refits:
    return Refits(
        rows=np.asarray(rows),
        contributions=probing.refit_contributions(service, refits, judged.iloc[rows]),
        families=tuple(service.feature_families[name] for name in service.features),
        labels={family: texts["en"] for family, texts in service.family_texts.items()},
    )

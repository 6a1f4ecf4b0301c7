"""The RAND Health Insurance Experiment as the randomised trial it was: who was given free care, and whether they used any.

Traps of this file, each met: ``coins == 0`` is not free care (plans 1 and 13 have a deductible; only plan 11 costs nothing);
``coins``, ``mdeoff``, ``pioff``, ``lpi``, ``fmde``, ``logc`` and ``idp`` *are* the treatment, and spending and visits come after it,
so none of them may be a feature; families stay on one plan, so a family is randomised and not a person.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from models.datasets import rand_experiment

FREE_CARE = 11
"""The plan without any payment: no coinsurance, no deductible, for everybody in it."""
FEATURES = (
    "xage", "female", "educdec", "income", "num", "mhi", "disea", "physlm", "xghindx", "hlthg", "hlthf", "hlthp",
)  # fmt: skip
"""What was known of a person at enrolment, before the first year. Race is not among them: it is audited, not chosen by."""
_AGES = (18, 30, 45, 120)


def insurance_trial(*, children: bool = False) -> pd.DataFrame:
    """The experiment's first year, one row a person, by person.

    Args:
        children: Whether to take those under 18 too; their families are the adults' own.

    Returns:
        Frame of 3,307 adults (5,638 people with children) with the columns `FEATURES` and

        - ``family``: inferred from site, plan, family size and income, as in `models.datasets.health_benefit`;
        - ``site``: 1 to 6, within which families were randomised;
        - ``free_care``: 1 for the free plan, 0 for any plan with a payment;
        - ``share``: the share of the site's families on the free plan, which is what a re-randomisation within the site keeps;
        - ``any_care``: 1 if there was any medical spending in the year (the experiment's "likelihood of any use"; Manning and
          others 1987, American Economic Review 77:251-277);
        - ``sex``, ``race``, ``age_group``: sensitive features; race is "unknown" where the study filled in a fraction.

    Raises:
        DataMissingError: The wheel's file is missing.
    """
    raw = rand_experiment()
    first = raw[raw["year"] == 1].set_index("zper").sort_index()
    family = first.groupby(["site", "plan", "num", "income"], sort=True).ngroup()
    free = (first["plan"] == FREE_CARE).astype(int)
    once = ~family.duplicated()
    share = free[once].groupby(first["site"][once]).mean()
    kept = np.ones(len(first), dtype=bool) if children else (first["child"] == 0).to_numpy()
    table = pd.DataFrame(
        {
            "family": [f"f{number:04d}" for number in family],
            "site": first["site"].to_numpy(),
            "free_care": free.to_numpy(),
            "share": first["site"].map(share).to_numpy(dtype=float),
            "any_care": (first["meddol"] > 0).to_numpy(dtype=float),
            **{name: first[name].to_numpy(dtype=float) for name in FEATURES},
            "sex": np.where(first["female"] == 1, "female", "male"),
            "race": np.select([first["black"] == 1, first["black"] == 0], ["Black", "other"], "unknown"),
            "age_group": pd.cut(
                first["xage"], (0, *_AGES), right=False, labels=["under 18", "18-29", "30-44", "45 and over"]
            )
            .astype("str")
            .to_numpy(),
        }
    )
    return table[kept].reset_index(drop=True)

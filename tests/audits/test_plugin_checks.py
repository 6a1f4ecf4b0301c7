"""A third party's check: found by its entry point, run, broken and reported; and the suite that its author runs."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from audits import runner, testing
from audits.check import CheckResult
from audits.errors import AuditsInputError
from audits.finding import Finding, Leaning, Outcome, Role

LUVALLA = Path(sys.executable).parent / "luvalla"
MODULE = """
from audits.check import CheckResult
from audits.finding import Finding, Outcome, Role


class Size:
    name = "acme_size"

    def run(self, given):
        n = len(given.y_true)
        outcome = Outcome.PASSED if n >= 100 else Outcome.FAILED
        return CheckResult((Finding("acme_size.rows", "acme_size", "rows", Role.SCREENS, outcome,
                                    f"{n} people; Acme expects 100.", "acme", "1.2", estimate=float(n)),))


class Broken:
    name = "acme_broken"

    def run(self, given):
        raise RuntimeError("person 010170-123A is odd")
"""


@pytest.fixture
def installed(tmp_path):
    """A package as pip leaves it: a module, and the metadata that names its entry points."""
    site = tmp_path / "site"
    metadata = site / "acme_checks-1.2.dist-info"
    metadata.mkdir(parents=True)
    (site / "acme_checks.py").write_text(MODULE)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-checks\nVersion: 1.2\n")
    (metadata / "entry_points.txt").write_text(
        "[luvalla.checks]\nacme_broken = acme_checks:Broken\nacme_gone = acme_checks:Nowhere\nacme_size = acme_checks:Size\n"
    )
    return site


def test_an_installed_check_runs_breaks_and_is_reported_by_the_command_line(installed, tmp_path):
    rng = np.random.default_rng(1)
    file = tmp_path / "scored.csv"
    rows = zip(rng.integers(0, 2, 60), rng.integers(0, 2, 60), ["a", "b"] * 30, strict=True)
    file.write_text("need,chosen,part\n" + "".join(f"{y},{p},{g}\n" for y, p, g in rows))
    arguments = ["--outcome", "need", "--prediction", "chosen", "--sensitive", "part", "--json"]
    done = subprocess.run(
        [str(LUVALLA), "audits", "run", "--predictions", str(file), *arguments],
        env=os.environ | {"PYTHONPATH": str(installed), "LUVALLA_HOME": str(tmp_path / "none")},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr[-500:]) == (1, done.stderr[-500:])
    found = {f["code"]: f for f in json.loads(done.stdout)["findings"]}
    assert found["acme_size.rows"]["message"] == "60 people; Acme expects 100."
    assert found["acme_size.rows"]["outcome"] == "failed"
    assert (
        found["acme_broken.could_not_run"]["message"] == "The check acme_broken could not run: RuntimeError."
    )
    assert found["acme_gone.could_not_run"]["message"].endswith("loading it raised AttributeError.")
    assert "010170" not in done.stdout + done.stderr


def test_luvallas_own_checks_keep_the_contract_that_a_plug_in_must():
    for check in runner.CHECKS:
        if check.name != "fairness":  # its lines decide: the one check whose findings may
            testing.check_check(check, trials=1)


FINDING = Finding(
    "mine.rows", "mine", "rows", Role.SCREENS, Outcome.PASSED, "There are rows.", "mine", "1", estimate=1.0
)


def one(finding, unknowns=()):
    class Mine:
        name = "mine"

        def run(self, given):
            return CheckResult(
                (finding,) if isinstance(finding, Finding) else finding(given), unknowns=unknowns
            )

    return Mine()


def test_a_sound_check_conforms():
    testing.check_check(one(FINDING))
    testing.check_check(type(one(FINDING)))


def drifting(given):
    drifting.calls = getattr(drifting, "calls", 0) + 1
    return (dataclasses.replace(FINDING, estimate=float(drifting.calls)),)


def writing(given):
    given.y_pred[0] = 1 - given.y_pred[0]
    return (FINDING,)


def telling(given):
    who = "nobody" if given.features is None else given.features.index[3]
    return (dataclasses.replace(FINDING, message=f"{who} is odd"),)


def raising(given):
    raise KeyError("010170-123A")


@pytest.mark.parametrize(
    ("finding", "fault"),
    [
        (dataclasses.replace(FINDING, code="rows"), "does not begin with the check's name"),
        (dataclasses.replace(FINDING, message=" "), "has no message"),
        (dataclasses.replace(FINDING, version=""), "does not say which tool"),
        (dataclasses.replace(FINDING, role=Role.DECIDES), "that decides: only the lines of a policy do"),
        (dataclasses.replace(FINDING, role=Role.DESCRIBED, outcome=Outcome.FAILED), "is described and yet judged"),
        (dataclasses.replace(FINDING, leaning=Leaning.FOR), "leans although"),
        (dataclasses.replace(FINDING, estimate=float("nan")), "not finite"),
        (dataclasses.replace(FINDING, low=1.0, high=0.0), "the wrong way round"),
        (lambda _: (FINDING, FINDING), "gave the finding .mine.rows. twice"),
        (drifting, "another result from the same input"),
        (writing, "changed what it was given"),
        (telling, "repeats a person's own value"),
        (raising, "raised KeyError; a check that cannot answer raises"),
    ],
)  # fmt: skip
def test_each_fault_of_a_check_is_named(finding, fault):
    with pytest.raises(AssertionError, match=fault) as raised:
        testing.check_check(one(finding), trials=1)
    assert "010170" not in str(raised.value)


def test_what_is_no_check_at_all_is_named():
    with pytest.raises(AssertionError, match="needs a name and run"):
        testing.check_check(object())


def test_a_check_may_say_that_it_cannot_answer():
    def cannot(given):
        raise AuditsInputError("there is no score", "give one")

    testing.check_check(one(cannot), trials=1)


@pytest.mark.parametrize(
    "finding",
    [
        dataclasses.replace(FINDING, role=Role.DECIDES),
        dataclasses.replace(FINDING, code="fairness.tpr_gap:group=a"),
        dataclasses.replace(FINDING, estimate=float("inf")),
        dataclasses.replace(FINDING, estimate="many"),
        lambda _: (FINDING, FINDING),
        lambda _: ["a text"],
        lambda _: 7,
    ],
)
def test_a_plug_in_neither_decides_nor_stops_an_audit(finding, make_rows, cells, monkeypatch):
    y, p, g = make_rows({"a": cells(30, 20, 6, 150), "b": cells(29, 21, 5, 150)})
    without = runner.audit(y, p, sensitive_features=g, lines=[])
    monkeypatch.setattr(runner, "installed", lambda: (("mine", one(finding)),))
    made = runner.audit(y, p, sensitive_features=g, lines=[])
    (broken,) = [f for f in made.findings if f.check == "mine"]
    assert broken.outcome is Outcome.COULD_NOT_RUN
    assert made.verdict.outcome is not Outcome.PASSED
    assert [f for f in made.findings if f.check != "mine"] == list(without.findings)

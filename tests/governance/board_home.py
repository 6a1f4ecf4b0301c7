"""A home with a board, as the tests of `luvalla board ...` use it: its commands, and what promoting does, without MLflow."""

from __future__ import annotations

import json

from click.testing import CliRunner

from consent.tlog.note import load_key
from governance import certificate, promotion, stopping
from governance.board_commands import decide
from governance.cases import Case
from governance.house import House

SERVICE = "health-benefit"
THREE = ("aino", "bo", "cesar")
ON = ["health-benefit", "2"]


def run(home, command, *arguments, code=0):
    """A command's JSON answer; the room's errors come through as they would to the command line."""
    result = CliRunner().invoke(
        command, [*map(str, arguments), "--json"], obj={"home": home.path}, catch_exceptions=False
    )
    assert result.exit_code == code, result.output
    return json.loads(result.stdout) if code == 0 else result.output


def put_before(home, room, report, **said):
    """A version with its report, before the board."""
    case = Case(
        service=SERVICE,
        name="luvalla-health-benefit",
        version="2",
        digest=report.subject.model_digest,
        recipe="need",
        seed=1,
        training_run="",
        trained_by=said.get("trained_by", ("tilda",)),
        audited_by=("urho",),
    )
    with House.open(home.path) as house:
        case = Case(**{**case.__dict__, "reports": (house.evidence.put(report.to_json()),)})
        house.cases.add(case)
        return promotion.open_ballot(house, SERVICE, "2")


def vote(home, name, choice="for", *more, reasons="Read and weighed.", code=0):
    return run(home, decide, *ON, "--as", name, "--choice", choice, "--reasons", reasons, *more, code=code)


def certify(home, room):
    """What `luvalla promote` does once the board said yes, without MLflow."""
    with House.open(home.path) as house:
        case = house.cases.get(SERVICE, "2")
        subject = room.subject(model_name=case.name)
        votes = [house.evidence.get(one) for one in case.votes]
        envelope = certificate.issue(
            subject,
            case.question(),
            votes,
            members=house.members(),
            quorum=house.trust_root.quorum,
            gate=promotion.judge(house, case),
            policy=house.policy(),
            at=house.clock(),
            key=load_key(home.log_key, house.ledger.origin),
        )
        written = certificate.parse(envelope)
        house.ledger.append_institutional(
            "certificate",
            {
                "envelope": house.evidence.put(envelope),
                "expires": "2027-01-01T00:00:00Z",
                "model_digest": subject.model_digest,
                "model_name": subject.model_name,
                "model_version": "2",
                "policy": written.policy,
                "report": written.report,
                "service": SERVICE,
                "votes": list(written.votes),
            },
        )
    return envelope


def check(home, room, envelope):
    """What a run asks."""
    with House.open(home.path, read_only=True) as house:
        case = house.cases.get(SERVICE, "2")
        return certificate.verify(
            envelope,
            [house.evidence.get(one) for one in certificate.parse(envelope).votes],
            members=house.members(),
            quorum=house.trust_root.quorum,
            issuers=house.issuers(),
            subject=room.subject(model_name=case.name),
            gate=promotion.judge(house, case),
            policy=house.policy(),
            revocations=stopping.revocations(house),
            at=house.clock(),
            recorded=None,
        )

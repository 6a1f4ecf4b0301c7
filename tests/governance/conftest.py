"""A board, a policy, and reports made by hand: everything a decision takes, as values; and homes with a board or a champion."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property

import pytest

from audits.finding import Finding, Leaning, Outcome, Role
from audits.lines import limit_on
from audits.report import SCHEMA, AuditReport, canonical
from audits.sections import PopulationFacts, ReportSubject, RuleFacts, Verdict
from consent import setup
from consent.ledger import utc_now
from consent.tlog.note import SigningKey, generate_key
from consent.trust_chain import Member
from governance import gate, policy
from governance.ballot import Ballot, Condition, Question
from governance.board_commands import keygen, members
from governance.certificate import Subject
from governance.founding import shipped_purposes
from governance.house import House
from governance.vote import Choice, sign_vote
from tests.governance.board_home import THREE, put_before, run
from tests.governance.city import Kept

NOW = datetime(2026, 11, 24, 9, 0, 0, tzinfo=UTC)
MODEL = "sha256:" + "a" * 64
SERVICE = "health-benefit"
PEOPLE = ("aino", "bo", "cesar", "dpo", "eva")
ROLES = {"aino": "chair", "dpo": "data-protection-officer", "eva": "citizens-representative"}


def finding_for(line, outcome=Outcome.PASSED, **changes):
    """A finding on a line, with an interval that fits its outcome on a gap's or a ratio's scale."""
    limit = limit_on(line, line.scale)
    gap = {  # interval, adjusted interval, estimate, for a lower limit of -.10 or .80; mirrored for an upper one
        Outcome.PASSED: (0.01, 0.04),
        Outcome.NOT_ENOUGH_EVIDENCE: (-0.05, 0.15),
        Outcome.FAILED: (-0.3, -0.2),
    }.get(outcome)
    values = {}
    if gap is not None and line.role is not Role.DESCRIBED:
        low, high = sorted(limit + (x if line.direction != "<=" else -x) for x in gap)
        values = {
            "estimate": (low + high) / 2,
            "low": low,
            "high": high,
            "level": 0.9,
            "limit": limit,
            "direction": line.direction,
        }
        if outcome is Outcome.NOT_ENOUGH_EVIDENCE:
            values |= {"leaning": Leaning.FOR, "further": 120}
    if line.role is Role.DESCRIBED:
        outcome = Outcome.NOT_APPLICABLE
    made = {
        "code": f"fairness.{line.id}",
        "check": "fairness",
        "metric": line.metric,
        "role": line.role,
        "outcome": outcome,
        "message": f"{line.id}: {outcome}.",
        "tool": "test",
        "version": "1",
        "line": line.id,
        "attribute": line.attribute,
        "group": line.group,
        "measure": line.measure,
        "scale": line.scale,
        "n": 500,
        "events": 100,
        **values,
        **changes,
    }
    return Finding(**made)


def written_out(line):
    """A line as an audit writes it: with a group, and a measure where its metric has one."""
    group = line.group or "some group"
    measure = "self-rated" if line.metric == "other_need_tpr_gap" else line.measure
    return replace(line, group=group, measure=measure)


def plain(check, outcome=Outcome.PASSED, role=Role.DECIDES):
    return Finding(f"{check}.x", check, "x", role, outcome, f"{check} came to {outcome}.", "test", "1")


@dataclass
class Room:
    """Members with keys, the shipped policy, and a report that passes unless told otherwise."""

    keys: dict[str, SigningKey] = field(
        default_factory=lambda: {n: generate_key(f"test.example/{n}") for n in PEOPLE}
    )
    log: SigningKey = field(default_factory=lambda: generate_key("test.example/log"))
    policy: policy.Policy = field(default_factory=lambda: policy.load(policy.shipped()))
    now: datetime = NOW

    def member(self, name, **changes):
        terms = {"since": NOW - timedelta(days=300), "until": NOW + timedelta(days=300), **changes}
        return Member(name, name.title(), ROLES.get(name, "member"), key=self.keys[name].verifier, **terms)

    def members(self):
        return tuple(self.member(name) for name in PEOPLE)

    def report(
        self, changed=None, *, findings=None, subject=None, rule=None, service=SERVICE, verdict=Outcome.PASSED
    ):
        """A report in which every line passes, but for the outcomes and changes given by line id."""
        changed = changed or {}
        lines = [written_out(line) for line in self.policy.lines(service)]
        made = []
        for line in lines:
            outcome, changes = changed.get(line.id, (Outcome.PASSED, {}))
            made.append(finding_for(line, outcome, **changes))
        made += [plain(check) for check in ("data_quality", "performance", "explainability")]
        facts = ReportSubject(
            service=service,
            kind="assistive",
            model_digest=MODEL,
            policy_digest=self.policy.digest,
            model_name=service,
            model_version="2",
        )
        deciding = len(self.policy.deciding_lines(service))
        return canonical(
            AuditReport(
                schema=SCHEMA,
                subject=replace(facts, **(subject or {})),
                verdict=Verdict(verdict, None, ()),
                rule=replace(RuleFacts(deciding, 20, 0.9, 0.05, 20, None, 0.9, 2000), **(rule or {})),
                population=PopulationFacts(1000, 200, 200, 100),
                findings=tuple(made if findings is None else findings(made)),
                groups=(),
                price=(),
                performance=None,
                explanation=None,
                data_quality=None,
                unknowns=(),
                simulated=(),
                tools=(),
            )
        )

    @cached_property
    def passing(self):
        """A report that passes, made once."""
        return self.report()

    @cached_property
    def failed_gate(self):
        return self.gate(self.report({"tpr_gap:race=Black": (Outcome.FAILED, {})}, verdict=Outcome.FAILED))

    def gate(self, report=None, **changes):
        asked = {"service": SERVICE, "kind": "assistive", "model_digest": MODEL, **changes}
        return gate.decide(report or self.passing, self.policy, **asked)

    def doubtful(self):
        """The gate's decision where one line has not enough evidence, leaning for."""
        return self.gate(self.report({"tpr_gap:race=Black": (Outcome.NOT_ENOUGH_EVIDENCE, {})}))

    def failed(self):
        return self.failed_gate

    def ballot(self, decision=None, **changes):
        decision = decision or self.gate()
        asked = {
            "question": Question.CERTIFY,
            "service": SERVICE,
            "model_name": SERVICE,
            "model_version": "2",
            "model_digest": MODEL,
            "report_digest": decision.report_digest,
            "policy_digest": decision.policy_digest,
            "gate_outcome": decision.outcome,
            "undecided": decision.undecided,
            "trained_by": ("tilda",),
            "audited_by": ("urho",),
            "owned_by": ("viljo",),
            "opened": NOW - timedelta(days=2),
            **changes,
        }
        return Ballot(**asked)

    def vote(self, name, ballot, choice=Choice.FOR, **changes):
        said = {"reasons": f"{name} has read the report.", "at": NOW - timedelta(days=1), **changes}
        return sign_vote(ballot, choice=choice, key=self.keys[name], **said)

    def terms(self):
        """Conditions and expiry as a vote on doubtful evidence needs them."""
        due = Condition("Follow up how many Black participants in need are missed.", NOW + timedelta(days=90))
        return {"conditions": (due,), "expires": NOW + timedelta(days=180)}

    def subject(self, **changes):
        about = Subject(
            service=SERVICE,
            model_name=SERVICE,
            model_version="2",
            model_digest=MODEL,
            data_contract="sha256:" + "c" * 64,
            purposes=(("health-benefit.development", 1), ("health-benefit.offer", 1)),
            selection=("threshold", "0.4321"),
        )
        return replace(about, **changes)


@pytest.fixture(scope="module")
def room():
    return Room()


@pytest.fixture(scope="module")
def city(played_city, tmp_path_factory):
    kept = Kept(played_city.home, tmp_path_factory.mktemp("kept") / "home")
    yield played_city
    kept.put_back()


@pytest.fixture
def home(tmp_path):
    """A home with a policy and nothing else; no MLflow, since a board needs none."""
    made = setup.create(
        tmp_path / "home", origin="test.example/log", purposes=shipped_purposes(), clock=utc_now
    )
    text = policy.shipped()
    (made.path / "policy.toml").write_bytes(text)
    with House.open(made.path) as house:
        body = {"digest": house.evidence.put(text), "name": "luvalla", "version": "2026.1"}
        house.ledger.append_institutional("policy", body)
    return made


@pytest.fixture
def board(home):
    """Three members with keys of their own, quorum three."""
    for name in THREE:
        vkey = run(home, keygen, name)["vkey"]
        run(home, members, "--add", name, "--name", name.title(), "--vkey", vkey)
    run(home, members, "--quorum", 3)
    return home


@pytest.fixture
def asked(board, room):
    """A version whose evidence passed, before the board."""
    put_before(board, room, room.report())
    return board

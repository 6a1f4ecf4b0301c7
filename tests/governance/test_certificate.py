"""Certificates: valid for exactly what the board decided on; every attack of the issue is refused with its reason."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import SSlibKey

from audits.finding import Outcome
from consent.canonical import digest, encode
from consent.tlog.note import generate_key
from governance import policy as policies
from governance.ballot import Condition
from governance.board import BoardDecision
from governance.certificate import Invalid, Revocation, RevocationKind, Valid, issue, verify
from governance.certificate_form import parse, write
from governance.envelope import Envelope as OurEnvelope
from governance.errors import EnvelopeError, GovernanceInputError
from governance.vote import Choice

DAY = timedelta(days=1)
OTHER = "sha256:" + "b" * 64
THREE = ("aino", "bo", "cesar")


class Case:
    """A certified version, and everything to check it with; each attack changes one part."""

    def __init__(self, room, gate=None, *, names=THREE, **said):
        self.room = room
        self.gate = gate or room.gate()
        self.ballot = room.ballot(self.gate)
        self.votes = [room.vote(name, self.ballot, **said) for name in names]
        self.envelope = self.issue()

    def issue(self, **changes):
        given = {
            "members": self.room.members(),
            "quorum": 3,
            "gate": self.gate,
            "policy": self.room.policy,
            "at": self.room.now,
            "key": self.room.log,
            **changes,
        }
        return issue(given.pop("subject", self.room.subject()), self.ballot, self.votes, **given)

    def verify(self, **changes):
        given = {
            "members": self.room.members(),
            "quorum": 3,
            "issuers": [self.room.log.verifier.vkey],
            "subject": self.room.subject(),
            "gate": self.gate,
            "policy": self.room.policy,
            "revocations": (),
            "at": self.room.now + 30 * DAY,
            "recorded": self.room.now,
            **changes,
        }
        return verify(given.pop("envelope", self.envelope), given.pop("votes", self.votes), **given)

    def forged(self, **changes):
        """The certificate with other content, signed with the log's own key: the issuer as attacker."""
        return write(replace(parse(self.envelope), **changes), self.room.log)


@pytest.fixture(scope="module")
def case(room):
    return Case(room)


@pytest.fixture(scope="module")
def doubtful(room):
    return Case(room, room.doubtful(), **room.terms())


def refused(result, check, says):
    assert isinstance(result, Invalid), result
    assert result.check == check, result
    assert says in result.reason, result.reason
    assert result.way_out


def test_a_certificate_holds_for_what_was_decided_on(case):
    result = case.verify()
    assert isinstance(result, Valid)
    assert result.certificate.digest == digest(case.envelope)
    assert [vote.member for vote in result.decision.counted] == list(THREE)


def test_conditions_and_expiry_are_the_boards(doubtful, room):
    result = doubtful.verify()
    assert isinstance(result, Valid)
    assert result.certificate.conditions == room.terms()["conditions"]
    assert result.certificate.expires == room.terms()["expires"]


def test_a_board_that_said_no_gives_no_certificate(room, case):
    short = Case(room, names=("aino", "bo"))
    assert isinstance(short.envelope, BoardDecision)
    assert not short.envelope.approved
    failed = Case(room, room.failed(), **room.terms())
    assert isinstance(failed.envelope, BoardDecision)


def test_a_certificate_about_another_version_than_the_ballot_is_not_made(case, room):
    with pytest.raises(GovernanceInputError, match="about another version"):
        case.issue(subject=room.subject(model_version="3"))


def test_the_same_certificate_is_the_same_bytes(case):
    assert case.issue() == case.envelope


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("model_digest", OTHER),
        ("model_version", "3"),
        ("model_name", "other"),
        ("service", "youth-talk"),
        ("data_contract", OTHER),
        ("purposes", (("health-benefit.offer", 2),)),
        ("selection", ("threshold", "0.1")),
    ],
)
def test_another_subject_is_refused(case, room, field, value):
    refused(case.verify(subject=room.subject(**{field: value})), field, "The certificate is for another")


def test_another_policy_is_refused(case, room):
    other = policies.load(policies.shipped() + b"\n")
    refused(case.verify(policy=other), "policy", "rests on another policy")
    gate = replace(case.gate, policy_digest=other.digest)
    refused(case.verify(policy=other, gate=gate), "policy", "rests on another policy")
    refused(case.verify(gate=gate), "gate", "another policy's gate")


def test_an_edited_report_is_refused(case, room):
    edited = room.gate(room.report(subject={"title": "Better than it was"}))
    refused(case.verify(gate=edited), "report", "rests on another report")


def test_a_report_that_now_fails_the_gate_is_refused(case):
    gate = replace(case.gate, outcome="failed", acceptable=False, why_not=("worse",))
    refused(case.verify(gate=gate), "board", "which no vote can turn into a yes")


def test_an_expired_certificate_is_refused(case, room):
    refused(case.verify(at=room.now + 366 * DAY), "expired", "expired on 2027-11-24")
    refused(case.verify(at=parse(case.envelope).expires), "expired", "expired")


def test_a_certificate_from_the_future_is_refused(case, room):
    refused(case.verify(at=room.now - DAY), "not-yet", "after now")


def test_a_certificate_recorded_at_another_time_is_refused(case, room):
    refused(case.verify(recorded=room.now + 2 * DAY), "recorded", "the ledger recorded it")


def test_a_longer_life_than_the_votes_give_is_refused(doubtful, room):
    longer = doubtful.forged(expires=room.now + 300 * DAY)
    refused(doubtful.verify(envelope=longer), "board", "conditions or expiry are not what its votes say")


def test_conditions_left_out_are_refused(doubtful):
    refused(doubtful.verify(envelope=doubtful.forged(conditions=())), "board", "conditions or expiry")


def test_an_overdue_condition_is_refused_until_it_is_met(doubtful, room):
    late = room.now + 91 * DAY
    refused(doubtful.verify(at=late), "condition", "was not shown to be met")
    assert isinstance(doubtful.verify(at=late, met=room.terms()["conditions"]), Valid)


def test_too_few_signatures_are_refused(case):
    short = case.forged(votes=tuple(sorted(digest(vote) for vote in case.votes[:2])))
    refused(case.verify(envelope=short, votes=case.votes[:2]), "board", "2 of the 3 votes needed")


def test_a_vote_held_back_is_refused(case):
    refused(case.verify(votes=case.votes[:2]), "votes", "not the ones that the certificate names")


def test_a_certificate_without_votes_is_refused(case):
    refused(case.verify(envelope=case.forged(votes=()), votes=[]), "form", "names no votes")


def test_a_higher_quorum_in_the_trust_root_in_force_is_asked_for(case):
    refused(case.verify(quorum=4), "board", "3 of the 4 votes needed")


def test_votes_swapped_for_others_are_refused(case, room):
    other = [*case.votes[:2], room.vote("dpo", case.ballot)]
    refused(case.verify(votes=other), "votes", "not the ones that the certificate names")


def test_a_vote_replayed_from_another_ballot_is_refused(case, room):
    earlier = room.ballot(case.gate, opened=room.now - 5 * DAY)
    votes = [*case.votes[:2], room.vote("cesar", earlier)]
    forged = case.forged(votes=tuple(sorted(map(digest, votes))))
    refused(case.verify(envelope=forged, votes=votes), "board", "signed for another ballot")


def test_a_ballot_swapped_under_the_votes_is_refused(case, room):
    forged = case.forged(ballot=room.ballot(case.gate, trained_by=("nobody",)))
    refused(case.verify(envelope=forged), "board", "signed for another ballot")


def test_a_ballot_on_another_model_is_refused(case, room):
    forged = case.forged(ballot=room.ballot(case.gate, model_digest=OTHER))
    refused(case.verify(envelope=forged), "ballot", "different things")


def test_a_recused_members_vote_is_refused(room):
    case = Case(room)
    case.ballot = room.ballot(case.gate, trained_by=("bo",))
    case.votes = [room.vote(name, case.ballot) for name in THREE]
    forged = case.forged(ballot=case.ballot, votes=tuple(sorted(map(digest, case.votes))))
    refused(case.verify(envelope=forged), "board", "recused: the member trained this model")


def test_a_former_members_vote_is_refused(case, room):
    members = tuple(
        replace(member, until=room.now - 2 * DAY) if member.id == "cesar" else member
        for member in room.members()
    )
    refused(case.verify(members=members), "board", "term does not cover")


def test_a_member_whose_term_ended_later_leaves_the_certificate_good(case, room):
    members = tuple(
        replace(member, until=room.now + 2 * DAY) if member.id == "cesar" else member
        for member in room.members()
    )
    assert isinstance(case.verify(members=members), Valid)


def test_a_key_that_is_not_yet_valid_is_refused(case, room):
    members = tuple(
        replace(member, since=room.now + DAY) if member.id == "cesar" else member for member in room.members()
    )
    refused(case.verify(members=members), "board", "term does not cover")


def test_a_key_outside_the_trust_root_is_refused(case, room):
    members = tuple(member for member in room.members() if member.id != "cesar")
    refused(case.verify(members=members), "board", "not a member's key")


def test_a_key_replaced_in_the_trust_root_is_refused(case, room):
    members = tuple(
        replace(member, key=generate_key("test.example/cesar").verifier) if member.id == "cesar" else member
        for member in room.members()
    )
    refused(case.verify(members=members), "board", "not a member's key")


def test_an_issuer_outside_the_trust_root_is_refused(case):
    refused(
        case.verify(issuers=[generate_key("test.example/log").verifier.vkey]),
        "signature",
        "not signed by a key",
    )
    refused(case.verify(issuers=[]), "signature", "not signed by a key")


def test_a_members_key_cannot_sign_a_certificate(case, room):
    forged = write(parse(case.envelope), room.keys["aino"])
    refused(case.verify(envelope=forged), "signature", "not signed by a key")


def test_any_changed_byte_is_noticed(case):
    for place in range(0, len(case.envelope), 41):
        changed = case.envelope[:place] + bytes([case.envelope[place] ^ 1]) + case.envelope[place + 1 :]
        assert isinstance(case.verify(envelope=changed), Invalid)


def test_another_spelling_of_the_same_certificate_is_refused(case):
    spaced = json.dumps(json.loads(case.envelope)).encode()
    refused(case.verify(envelope=spaced), "form", "not spelled canonically")


def test_a_vote_is_no_certificate_and_a_certificate_no_vote(case):
    refused(case.verify(envelope=case.votes[0]), "form", "Expected a statement of type")
    assert isinstance(case.verify(votes=[case.envelope]), Invalid)


def test_a_revoked_certificate_is_refused_for_good(case, room):
    stop = Revocation(digest(case.envelope), RevocationKind.REVOKED, room.now + DAY, None)
    refused(case.verify(revocations=[stop]), "revoked", "The board revoked")
    refused(case.verify(revocations=[stop], at=room.now + DAY / 2), "revoked", "The board revoked")


def test_a_suspension_ends_by_itself(case, room):
    stop = Revocation(digest(case.envelope), RevocationKind.SUSPENDED, room.now + DAY, room.now + 31 * DAY)
    refused(case.verify(revocations=[stop]), "suspended", "suspended this certificate")
    assert isinstance(case.verify(revocations=[stop], at=room.now + 31 * DAY), Valid)


def test_a_suspension_without_end_holds(case, room):
    stop = Revocation(digest(case.envelope), RevocationKind.SUSPENDED, room.now, None)
    refused(case.verify(revocations=[stop], at=room.now + 300 * DAY), "suspended", "until the board decides")


def test_what_was_stopped_cannot_be_issued_anew_from_the_same_votes(case, room):
    again = case.issue(at=room.now + DAY)
    assert again != case.envelope
    stop = Revocation(
        digest(case.envelope), RevocationKind.REVOKED, room.now, None, parse(case.envelope).votes
    )
    refused(
        case.verify(envelope=again, recorded=room.now + DAY, revocations=[stop]),
        "revoked",
        "The board revoked",
    )


def test_another_certificates_revocation_changes_nothing(case, room):
    assert isinstance(
        case.verify(revocations=[Revocation(OTHER, RevocationKind.REVOKED, room.now, None)]), Valid
    )


def test_a_certificate_reads_back_as_it_was_written(doubtful, room):
    certificate = parse(doubtful.envelope)
    assert write(certificate, room.log) == doubtful.envelope
    assert certificate.subject == room.subject()
    assert certificate.ballot == doubtful.ballot


def test_a_certificate_with_more_in_it_is_not_one(case, room):
    statement = json.loads(OurEnvelope.parse(case.envelope).payload)
    statement["predicate"]["note"] = "trust me"
    payload = base64.b64encode(encode(statement)).decode()
    envelope = json.loads(case.envelope) | {"payload": payload}
    with pytest.raises(EnvelopeError, match="one spelling"):
        parse(encode(envelope))


def test_dissent_stays_in_the_decision(room):
    case = Case(room)
    case.votes.append(room.vote("eva", case.ballot, Choice.AGAINST, reasons="Not yet."))
    case.envelope = case.issue()
    result = case.verify()
    assert [(vote.member, vote.reasons) for vote in result.decision.dissent] == [("eva", "Not yet.")]


def test_foreign_dsse_tools_accept_certificate_and_votes_and_refuse_a_changed_one(case, room):
    for envelope, key in ((case.envelope, room.log), (case.votes[0], room.keys["aino"])):
        public = SSlibKey(key.verifier.keyid, "ed25519", "ed25519", {"public": key.verifier.public.hex()})
        assert Envelope.from_dict(json.loads(envelope)).verify([public], 1)
        changed = Envelope.from_dict(json.loads(envelope))
        changed.payload += b" "
        with pytest.raises(VerificationError):
            changed.verify([public], 1)


def test_a_verifier_of_ten_lines_accepts_a_vote(case, room):
    document = json.loads(case.votes[0])
    payload = base64.b64decode(document["payload"])
    kind = document["payloadType"].encode()
    signed = b" ".join([b"DSSEv1", b"%d" % len(kind), kind, b"%d" % len(payload), payload])
    public = Ed25519PublicKey.from_public_bytes(room.keys["aino"].verifier.public)
    public.verify(base64.b64decode(document["signatures"][0]["sig"]), signed)
    statement = json.loads(payload)
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["subject"] == [{"digest": {"sha256": "a" * 64}, "name": "model"}]


def test_an_undecided_line_hidden_from_the_ballot_is_refused(doubtful, room):
    quiet = room.ballot(doubtful.gate, undecided=())
    votes = [room.vote(name, quiet, **room.terms()) for name in THREE]
    forged = doubtful.forged(ballot=quiet, votes=tuple(sorted(map(digest, votes))))
    refused(doubtful.verify(envelope=forged, votes=votes), "board", "lines without enough evidence")


def test_a_condition_of_the_past_cannot_be_signed_away(room):
    late = Condition("Do it.", room.now - 2 * DAY)
    case = Case(room, room.doubtful(), conditions=(late,), expires=room.now + DAY)
    assert isinstance(case.envelope, BoardDecision)
    assert case.gate.lines[0].outcome is Outcome.PASSED

"""Words of the standards as enums with their IRIs: DPV 2.3, ISO/IEC TS 27560 and GDPR; the only place that lists them."""

from __future__ import annotations

from enum import Enum, IntEnum

DPV = "https://w3id.org/dpv#"
EU_GDPR = "https://w3id.org/dpv/legal/eu/gdpr#"


class ConsentStatus(Enum):
    """State of one consent (DPV 2.3 `ConsentStatus`); only `given` and `renewed` permit anything."""

    REQUESTED = "requested"
    REFUSED = "refused"
    GIVEN = "given"
    RENEWED = "renewed"
    WITHDRAWN = "withdrawn"
    REVOKED = "revoked"
    EXPIRED = "expired"
    INVALIDATED = "invalidated"
    UNKNOWN = "unknown"

    @property
    def permits(self) -> bool:
        """Whether processing may rest on a consent in this state."""
        return self in (ConsentStatus.GIVEN, ConsentStatus.RENEWED)

    @property
    def iri(self) -> str:
        """The DPV 2.3 term of this state."""
        return DPV + _STATUS_TERMS[self]

    @property
    def code(self) -> int:
        """A small stable number for database columns; never hashed."""
        return _STATUS_CODES[self]

    @classmethod
    def from_code(cls, code: int) -> ConsentStatus:
        """The state of a database code.

        Raises:
            ValueError: No state has this code.
        """
        for status, known in _STATUS_CODES.items():
            if known == code:
                return status
        msg = "not the code of a consent state"
        raise ValueError(msg)


_STATUS_TERMS = {
    ConsentStatus.REQUESTED: "ConsentRequested",
    ConsentStatus.REFUSED: "ConsentRefused",
    ConsentStatus.GIVEN: "ConsentGiven",
    ConsentStatus.RENEWED: "RenewedConsentGiven",
    ConsentStatus.WITHDRAWN: "ConsentWithdrawn",
    ConsentStatus.REVOKED: "ConsentRevoked",
    ConsentStatus.EXPIRED: "ConsentExpired",
    ConsentStatus.INVALIDATED: "ConsentInvalidated",
    ConsentStatus.UNKNOWN: "ConsentUnknown",
}
_STATUS_CODES = {status: code for code, status in enumerate(ConsentStatus)}


class GivenBy(Enum):
    """Who expressed the consent (GDPR 4(11), 8; 27560 `entity_id`)."""

    DATA_SUBJECT = "data-subject"
    GUARDIAN = "guardian"
    AUTHORISED_REPRESENTATIVE = "authorised-representative"
    STAFF_ASSISTED = "staff-assisted"


class OwnSay(Enum):
    """What a young or represented person says beside their guardian or representative (CRC 12; GDPR recital 38)."""

    AGREED = "agreed"
    OPPOSED = "opposed"
    NOT_ABLE = "not-able"
    NOT_ASKED = "not-asked"


class Language(Enum):
    """Languages in which a notice is shown."""

    FI = "fi"
    SV = "sv"
    EN = "en"


class Processing(Enum):
    """What a run does with people's data; a purpose names those it covers."""

    TRAINING = "training"
    AUDIT = "audit"
    SCORING = "scoring"
    HUMAN_REVIEW = "human-review"

    @property
    def bit(self) -> int:
        """One bit of the `processing` column of consent events; never hashed."""
        return _PROCESSING_BITS[self]


_PROCESSING_BITS = {processing: 1 << position for position, processing in enumerate(Processing)}


def processing_mask(words: tuple[str, ...] | list[str]) -> int:
    """The bits of several kinds of processing.

    Raises:
        ValueError: A word is not in `Processing`.
    """
    mask = 0
    for word in words:
        mask |= Processing(word).bit
    return mask


class UseStatus(IntEnum):
    """The status byte of one person in one run (contract "Use tree"); hashed, so final."""

    NOT_IN_RUN = 0x00
    USED = 0x01
    SELECTED = 0x02
    SAMPLED = 0x03
    NO_CONSENT = 0x10
    REFUSED = 0x11
    WITHDRAWN = 0x12
    EXPIRED = 0x13
    OTHER_VERSION = 0x14
    ONLY_REQUESTED = 0x15
    REVOKED = 0x16
    NOT_COVERED = 0x17
    OBJECTED = 0x18
    RESTRICTED = 0x19
    RECORD_LOST = 0x1A

    @property
    def used(self) -> bool:
        """Whether the person's data was processed in the run."""
        return self in (UseStatus.USED, UseStatus.SELECTED, UseStatus.SAMPLED)

    @property
    def left_out(self) -> bool:
        """Whether the person was in the population and left out for want of a consent."""
        return self >= UseStatus.NO_CONSENT

    @property
    def word(self) -> str:
        """A stable word for JSON and counts."""
        return self.name.lower().replace("_", "-")

    @property
    def reason(self) -> str:
        """Why the person was left out, in plain English; empty when they were not."""
        return _LEFT_OUT_REASONS.get(self, "")


_LEFT_OUT_REASONS = {
    UseStatus.NO_CONSENT: "no consent on record",
    UseStatus.REFUSED: "said no",
    UseStatus.WITHDRAWN: "the consent was withdrawn",
    UseStatus.EXPIRED: "the consent has expired",
    UseStatus.OTHER_VERSION: "the consent is for another version of the purpose or its notice",
    UseStatus.ONLY_REQUESTED: "a consent was asked for and not yet answered",
    UseStatus.REVOKED: "the consent was revoked or found invalid",
    UseStatus.NOT_COVERED: "the consent does not cover this processing, or not all of the data it needs",
    UseStatus.OBJECTED: "the person has objected to this processing",
    UseStatus.RESTRICTED: "the processing of the person's data is restricted",
    UseStatus.RECORD_LOST: "a part of the record was lost after this consent: it must be confirmed anew",
}


class Right(Enum):
    """A right that a person exercises, or its end (GDPR 15, 16, 17, 18, 20, 21)."""

    ACCESS = "access"
    PORTABILITY = "portability"
    RECTIFICATION = "rectification"
    RESTRICTION = "restriction"
    RESTRICTION_LIFTED = "restriction-lifted"
    OBJECTION = "objection"
    OBJECTION_WITHDRAWN = "objection-withdrawn"
    ERASURE_REFUSED = "erasure-refused"


class RightAnswer(Enum):
    """What was decided about a right; `recorded` also while nothing is decided yet: the person's word counts meanwhile."""

    GRANTED = "granted"
    REFUSED = "refused"
    RECORDED = "recorded"


class RetentionClass(Enum):
    """What a key of one person opens; an erasure destroys or keeps whole classes.

    evidence: the cores of payloads (that a consent was given, when, for what). detail: the values of named details.
    use: the person's slots in runs and the feature values kept of them. erasure: the record of an erasure itself.
    """

    EVIDENCE = "evidence"
    DETAIL = "detail"
    USE = "use"
    ERASURE = "erasure"

    @property
    def code(self) -> int:
        """A small stable number for database columns and key wrapping."""
        return _RETENTION_CODES[self]

    @classmethod
    def from_code(cls, code: int) -> RetentionClass:
        """The class of a database code.

        Raises:
            ValueError: No class has this code.
        """
        for retention, known in _RETENTION_CODES.items():
            if known == code:
                return retention
        msg = "not the code of a retention class"
        raise ValueError(msg)


_RETENTION_CODES = {retention: code for code, retention in enumerate(RetentionClass, 1)}

ERASABLE = (RetentionClass.DETAIL, RetentionClass.EVIDENCE, RetentionClass.USE)
"""The classes that an erasure may destroy, in the order of the payload (sorted words)."""

LEGAL_BASES = frozenset(
    f"eu-gdpr:{term}"
    for term in (
        *(f"A6-1-{letter}" for letter in "abcdef"),
        "A6-1-a-explicit-consent",
        "A6-1-a-non-explicit-consent",
        "A6-1-e-public-interest",
        "A6-1-e-official-authority",
        *(f"A9-2-{letter}" for letter in "abcdefghij"),
    )
)
"""Legal bases of DPV 2.3's eu-gdpr extension that a purpose may name."""

"""A policy: which lines decide, at which limits and why, which checks must have run, and what the board may accept.

A policy is a TOML file that the board agrees on before any score is seen. It is named, versioned, dated and sourced, and
each limit says why it stands where it does. Reading is strict: an unknown key, a missing reason or more deciding lines than
the rule can carry is an error that names the place. The digest is over the file's exact bytes, so a certificate binds the
reasons as well as the numbers.

The shipped file is `governance/policies/luvalla-2026.toml`.
"""

from __future__ import annotations

import calendar
import difflib
import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from importlib import resources
from pathlib import Path
from typing import Any

from audits.finding import Role
from audits.lines import Line
from consent.canonical import digest
from governance.errors import PolicyError, UnknownProfile

FORMAT = 1
"""The only file format there is."""

MAX_DECIDING_LINES = 24
"""Deciding lines of one service at most: the Bonferroni level of a fail is one-sided 5 %/m, and at m = 24 intervals are
already 1.9 times as wide as one line's (z 2.86 against 1.64 at 5 %): more lines would be lines that can never fail."""

MONTHS_AT_MOST = 12
"""No policy may let evidence that is not enough stand longer than this, whatever the file says (issue 2)."""

SHIPPED = "luvalla-2026.toml"


@dataclass(frozen=True, slots=True)
class LineSpec:
    """One row of a profile: a metric, its limit and role, for every group that the service's table names.

    Args:
        metric: As `audits.lines` names it.
        direction: ">=", "<=" or "within".
        limit: The limit (or the pair of limits for "within"), in the metric's own unit.
        role: Decides, screens or described.
        why: What harm it measures, in plain words.
        source: Where the limit comes from.
        may_not_apply: When a finding "not applicable" on this line is no gap in the evidence; None: it always is one.
    """

    metric: str
    direction: str
    limit: float | tuple[float, float] | None
    role: Role
    why: str
    source: str
    may_not_apply: str | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """What is asked of one kind of service.

    Args:
        name: Such as `youth`.
        kind: `assistive` or `check`, as `models.service.Service.kind`.
        title: One line for the board.
        lines: The rows.
        required_checks: Checks (`Finding.check`) that must have run; never empty.
    """

    name: str
    kind: str
    title: str
    lines: tuple[LineSpec, ...]
    required_checks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ServiceGroups:
    """For one service: its profile and the groups that its lines compare, each with everyone else.

    Args:
        service: Service id.
        profile: Name of its profile.
        deciding: Pairs (attribute, group), in the file's order.
        screened: Attributes that the report must at least look at.
        why: Why these groups.
    """

    service: str
    profile: str
    deciding: tuple[tuple[str, str], ...]
    screened: tuple[str, ...]
    why: str


@dataclass(frozen=True, slots=True)
class AcceptRule:
    """When a board may accept a line on which there is not enough evidence.

    Args:
        allowed: Whether it ever may.
        leaning: Only lines that lean this way; always "for".
        exclude_times_limit: The 90 % interval must exclude this many times the limit (for a ratio, that power of it).
        months_at_most: The longest an acceptance may hold.
        why: Plain words.
        source: Where it comes from.
    """

    allowed: bool
    leaning: str
    exclude_times_limit: float
    months_at_most: int
    why: str
    source: str


@dataclass(frozen=True, slots=True)
class BoardRules:
    """What the policy says to the board.

    Args:
        certificate_months: How long a certificate on passed evidence may be valid.
        suspension_days: How long one member's suspension may hold before the board must have met.
        accept: Accepting evidence that is not enough.
    """

    certificate_months: int
    suspension_days: int
    accept: AcceptRule


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy as read.

    Args:
        name: Such as `luvalla`.
        version: Such as `2026.1`.
        dated: When it was agreed on.
        title: One line.
        source: What it rests on.
        profiles: By name.
        services: By service id.
        board: Rules for the board.
        digest: DIGEST of the file's exact bytes.
        text: The file's exact bytes.
    """

    name: str
    version: str
    dated: date
    title: str
    source: str
    profiles: Mapping[str, Profile]
    services: Mapping[str, ServiceGroups]
    board: BoardRules
    digest: str
    text: bytes

    def groups(self, service: str) -> ServiceGroups:
        """What the policy says of a service.

        Raises:
            UnknownProfile: It says nothing of it, so the answer to any version of it is no.
        """
        try:
            return self.services[service]
        except KeyError:
            near = difflib.get_close_matches(service, self.services, n=3)
            raise UnknownProfile(
                f"Policy {self.name} {self.version} says nothing of the service {service!r}.",
                (f"Did you mean {' or '.join(near)}? " if near else "")
                + "Add a [services.…] table with its profile and groups, and have the board agree on it.",
            ) from None

    def profile(self, service: str) -> Profile:
        """The profile of a service.

        Raises:
            UnknownProfile: The policy says nothing of this service.
        """
        return self.profiles[self.groups(service).profile]

    def lines(self, service: str) -> tuple[Line, ...]:
        """The lines for an audit of a service: each row of its profile for each of its groups.

        Raises:
            UnknownProfile: The policy says nothing of this service.
        """
        raise NotImplementedError


def load(source: Path | bytes) -> Policy:
    """Read a policy strictly.

    Raises:
        PolicyError: The file cannot be read or is not a policy; the message names the place and what was expected.
    """
    raise NotImplementedError


def shipped() -> bytes:
    """The exact bytes of the policy that ships with luvalla."""
    return resources.files("governance").joinpath("policies", SHIPPED).read_bytes()


def months_after(at: datetime, months: int) -> datetime:
    """The same day and time so many months later; the month's last day where it is shorter."""
    year, month = divmod(at.year * 12 + at.month - 1 + months, 12)
    return at.replace(year=year, month=month + 1, day=min(at.day, calendar.monthrange(year, month + 1)[1]))

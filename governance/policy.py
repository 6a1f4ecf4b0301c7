"""A policy: which lines decide, at which limits and why, which checks must have run, and what the board may accept.

A policy is a TOML file that the board agrees on before any score is seen. It is named, versioned, dated and sourced, and
each limit says why it stands where it does. Reading is strict: an unknown key, a missing reason or more deciding lines than
the rule can carry is an error that names the place. The digest is over the file's exact bytes, so a certificate binds the
reasons as well as the numbers.

The shipped file is `governance/policies/luvalla-2026.toml`; `luvalla-practice.toml` beside it is for trying luvalla out.
"""

from __future__ import annotations

import calendar
import difflib
import tomllib
from dataclasses import dataclass
from importlib import resources
from types import MappingProxyType
from typing import TYPE_CHECKING

from audits.finding import Direction, Role, Scale
from audits.lines import COULD_DECIDE, METRICS, MOST_DECIDING, Line
from consent.canonical import digest
from governance.errors import PolicyError, UnknownProfile
from governance.profile import AcceptRule, BoardRules, LineSpec, Profile, RuleSpec, ServiceGroups, draw
from governance.strict_toml import Table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime
    from pathlib import Path

FORMAT = 1
"""The only file format there is."""

MAX_DECIDING_LINES = MOST_DECIDING
"""Deciding lines of one service at most."""

MONTHS_AT_MOST = 12
"""No policy may let evidence that is not enough stand longer than this, whatever the file says (issue 2)."""

SHIPPED = "luvalla-2026.toml"
PRACTICE = "luvalla-practice.toml"
"""A policy for practice, with wider limits: what the few rows that come with luvalla can decide."""


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy as read.

    Args:
        name: Such as `luvalla`.
        version: Such as `2026.1`.
        dated: When it was agreed on.
        title: One line.
        source: What it rests on.
        rule: The decision rule.
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
    rule: RuleSpec
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
        return draw(self.profile(service), self.groups(service))

    def deciding_lines(self, service: str) -> tuple[Line, ...]:
        """Those of `lines` that decide, in the policy's order.

        Raises:
            UnknownProfile: The policy says nothing of this service.
        """
        return tuple(line for line in self.lines(service) if line.role is Role.DECIDES)


def load(source: Path | bytes) -> Policy:
    """Read a policy strictly.

    Args:
        source: A file, or a file's exact bytes.

    Raises:
        PolicyError: The file cannot be read or is not a policy; the message names the place and what was expected.
    """
    if isinstance(source, bytes):
        text = source
    else:
        try:
            text = source.read_bytes()
        except OSError as error:
            raise PolicyError(
                f"The policy {source} cannot be read: {error.strerror}.",
                "Check the path, or run `luvalla init`.",
            ) from error
    try:
        root = Table(tomllib.loads(text.decode("utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PolicyError(f"The policy is not TOML: {error}.", "Correct the file at that place.") from error
    root.whole("format", FORMAT, FORMAT)
    profiles = {
        name: _profile(root.table("profiles").table(name), name) for name in root.table("profiles").names()
    }
    services = {
        name: _service(root.table("services").table(name), name, profiles)
        for name in root.table("services").names()
    }
    if not services:
        raise PolicyError("The policy names no service, so it could allow none.", "Add a [services.…] table.")
    policy = Policy(
        name=root.text("name"),
        version=root.text("version"),
        dated=root.day("dated"),
        title=root.text("title"),
        source=root.text("source"),
        rule=_rule(root.table("rule")),
        profiles=MappingProxyType(profiles),
        services=MappingProxyType(services),
        board=_board(root.table("board")),
        digest=digest(text),
        text=text,
    )
    root.close()
    return policy


def shipped() -> bytes:
    """The exact bytes of the policy that ships with luvalla."""
    return resources.files("governance").joinpath("policies", SHIPPED).read_bytes()


def practice() -> bytes:
    """The exact bytes of the policy for practice, for trying luvalla on the few real rows that come with it.

    The rule is the shipped policy's: nothing is accepted on an audit that could not decide. Its lines for health-benefit are
    fewer and wider, so that those rows can decide; each says so, and no city should agree on it.
    """
    return resources.files("governance").joinpath("policies", PRACTICE).read_bytes()


def months_after(at: datetime, months: int) -> datetime:
    """The same day and time so many months later; the month's last day where it is shorter."""
    year, month = divmod(at.year * 12 + at.month - 1 + months, 12)
    return at.replace(year=year, month=month + 1, day=min(at.day, calendar.monthrange(year, month + 1)[1]))


def _profile(table: Table, name: str) -> Profile:
    lines = tuple(_line(line) for line in table.tables("line"))
    if not any(line.role is Role.DECIDES for line in lines):
        raise PolicyError(
            f"Profile {name} has no deciding line, so nothing could ever pass it.",
            "Let at least one line decide.",
        )
    metrics = [line.metric for line in lines]
    if len(set(metrics)) != len(metrics):
        raise PolicyError(
            f"Profile {name} has two lines about one metric.", "Keep the one that the board means."
        )
    profile = Profile(
        name=name,
        kind=table.one_of("kind", ("assistive", "check")),
        title=table.text("title"),
        lines=lines,
        required_checks=table.texts("required_checks"),
    )
    table.close()
    return profile


def _line(table: Table) -> LineSpec:
    metric = table.one_of("metric", tuple(METRICS))
    low, high = (-1.0, 1.0) if METRICS[metric].scale is Scale.DIFFERENCE else (0.01, 100.0)
    spec = LineSpec(
        metric=metric,
        direction=Direction(table.one_of("direction", tuple(str(item) for item in Direction))),
        limit=table.number("limit", low, high),
        role=Role(table.one_of("role", tuple(str(item) for item in Role))),
        why=table.text("why"),
        source=table.text("source"),
        may_not_apply=table.text("may_not_apply") if table.has("may_not_apply") else None,
        screen_others=table.truth("screen_others") if table.has("screen_others") else False,
        unless_need_is_lower=table.truth("unless_need_is_lower")
        if table.has("unless_need_is_lower")
        else False,
    )
    table.close()
    return spec


def _service(table: Table, name: str, profiles: Mapping[str, Profile]) -> ServiceGroups:
    deciding = table.table("deciding")
    groups = ServiceGroups(
        service=name,
        profile=table.one_of("profile", tuple(profiles)),
        deciding=MappingProxyType({attribute: deciding.texts(attribute) for attribute in deciding.names()}),
        screened=table.texts("screened") if table.has("screened") else (),
        why=table.text("why"),
        source=table.text("source"),
    )
    table.close()
    if not groups.deciding:
        raise PolicyError(f"{table.at('deciding')} names no group.", "Name an attribute and its groups.")
    if twice := set(groups.deciding) & set(groups.screened):
        raise PolicyError(f"{table.path} both decides on and screens {sorted(twice)}.", "Choose one.")
    count = sum(line.role is Role.DECIDES for line in draw(profiles[groups.profile], groups))
    if count > MAX_DECIDING_LINES:
        raise PolicyError(
            f"Service {name} has {count} deciding lines, at most {MAX_DECIDING_LINES} are allowed.",
            "Let fewer lines or coarser groups decide: with more, the lines grow too wide to fail.",
        )
    return groups


def _rule(table: Table) -> RuleSpec:
    table.text("source")
    rule = RuleSpec(
        level=table.number("level", 0.5, 0.999),
        error=table.number("error", 0.0001, 0.2),
        few=table.whole("few", 1, 10_000),
    )
    table.close()
    return rule


def _board(table: Table) -> BoardRules:
    table.text("why")
    table.text("source")
    accept = table.table("accept")
    rules = BoardRules(
        certificate_months=table.whole("certificate_months", 1, 60),
        ballot_days=table.whole("ballot_days", 1, 366),
        suspension_days=table.whole("suspension_days", 1, 366),
        accept=AcceptRule(
            allowed=accept.truth("allowed"),
            leaning=accept.one_of("leaning", ("for",)),
            exclude_times_limit=accept.number("exclude_times_limit", 1, 2),
            months_at_most=accept.whole("months_at_most", 1, MONTHS_AT_MOST),
            chance_at_least=accept.number("chance_at_least", COULD_DECIDE, 1)
            if accept.has("chance_at_least")
            else COULD_DECIDE,
            why=accept.text("why"),
            source=accept.text("source"),
        ),
    )
    accept.close()
    table.close()
    return rules

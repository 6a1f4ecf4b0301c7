"""The one command line: a table from command path to the object that runs it; nothing is imported until it is called."""

from __future__ import annotations

import difflib
import importlib
import os
import sys
from pathlib import Path
from typing import Any, NamedTuple

import click


class Entry(NamedTuple):
    """Where a command lives and what one line of help says of it."""

    target: str
    help: str


# Sorted as a stranger reads: first the whole, then the three users, then the machinery.
TABLE: dict[str, Entry] = {
    "demo": Entry("governance.demo_command:demo", "The whole promise on real rows, in under a minute."),
    "init": Entry("governance.commands:init", "Make a home of one's own (LUVALLA_HOME)."),
    "status": Entry("governance.commands:status", "The ledger's head, the versions' state, and what waits for whom."),
    "consent purposes": Entry("consent.commands:purposes", "What people can say yes or no to."),
    "consent give": Entry("consent.commands:give", "Record a yes."),
    "consent refuse": Entry("consent.commands:refuse", "Record a no."),
    "consent withdraw": Entry("consent.commands:withdraw", "Record a change of mind."),
    "consent show": Entry("consent.commands:show", "What one person agreed to, and since when."),
    "consent uses": Entry("consent.commands:uses", "Every use of one person's data."),
    "consent receipt": Entry("consent.commands:receipt", "A receipt that proves itself offline."),
    "consent erase": Entry("consent.commands:erase", "Erase one person; everyone else's proofs still hold."),
    "ledger check": Entry("consent.ledger_commands:check", "Recompute everything and name each fault."),
    "ledger checkpoint": Entry("consent.ledger_commands:checkpoint", "Sign the ledger's head and print it."),
    "ledger vkey": Entry("consent.ledger_commands:vkey", "The keys a verifier needs, and the trust root's digest."),
    "models list": Entry("models.commands:list_services", "The services, their recipes and what they need."),
    "models train": Entry("governance.commands:train", "Train on consenting people, register in MLflow."),
    "models register": Entry("governance.commands:register", "Attach a version that is already in MLflow."),
    "models card": Entry("governance.commands:card", "The model card of a version."),
    "audits run": Entry("governance.commands:audit", "Audit a version, or a predictions file."),
    "audits report": Entry("audits.commands:report", "Turn a report's facts into its page."),
    "audits compare": Entry("audits.commands:compare", "What changed between two reports."),
    "board keygen": Entry("governance.board_commands:keygen", "A member's own signing key."),
    "board members": Entry("governance.board_commands:members", "Who sits on the board; add or retire one."),
    "board inbox": Entry("governance.board_commands:inbox", "What waits for a decision."),
    "board decide": Entry("governance.board_commands:decide", "Vote, with reasons, and sign."),
    "board suspend": Entry("governance.board_commands:suspend", "Stop a certified version for a while."),
    "board revoke": Entry("governance.board_commands:revoke", "Withdraw a certificate for good."),
    "promote": Entry("governance.commands:promote", "Certify a version that the board decided on, and move the alias."),
    "run": Entry("governance.commands:run", "Run a service on consenting people only."),
    "verify": Entry("consent.verify_command:verify", "Check a receipt offline, with the trust root alone."),
    "serve citizen": Entry("consent.serve_command:citizen", "The citizens' API."),
    "my consents": Entry("consent.my_commands:consents", "My consents, from the API."),
    "my uses": Entry("consent.my_commands:uses", "Every use of my data, from the API."),
    "my why": Entry("consent.my_commands:why", "Why a use came out as it did for me."),
}
GROUPS: dict[str, str] = {
    "consent": "What people agreed to (for whoever may open the ledger).",
    "ledger": "The log itself: check, sign, prove.",
    "models": "Services and their versions.",
    "audits": "The evidence on which a board decides.",
    "board": "The ethics board: keys, inbox, decisions.",
    "serve": "Servers.",
    "my": "The citizen's client of the API.",
}
ROOM_PACKAGE = {"consent": "luvalla-citizen"}

"""Giving the log a signer process: its key becomes the log's in a new version of the trust root, and luvalla.toml names it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from consent import store_log
from consent.canonical import encode
from consent.errors import ConfigurationError, ConsentInputError, ConsentUnavailableError
from consent.home import parse_settings, read_settings
from consent.signing import signer_process
from consent.tlog.durable import replace_file
from consent.tlog.merkle import root_at

if TYPE_CHECKING:
    from consent.home import Home
    from consent.ledger import Ledger
    from consent.signer_client import SignerProcess
    from consent.tlog.note import VerifierKey

_TABLE = re.compile(r"^\[consent\][ \t]*(#.*)?$", re.MULTILINE)
_LINE = re.compile(r"^[ \t]*signer[ \t]*=.*$", re.MULTILINE)


def refuse_home_key(home: Home) -> None:
    """Refuse a rotation to a key in the home where a signer process signs.

    Raises:
        ConsentInputError: One does (exit 2).
    """
    if read_settings(home).signer is not None:
        raise ConsentInputError(
            "the log's key is in a signer process, and a key in the home would take its place",
            "make another signer (`luvalla ledger signer --init`) and name its socket with --signer unix:/path",
        )


def signer_to_adopt(ledger: Ledger, address: str, size: int) -> tuple[SignerProcess, VerifierKey]:
    """A running signer whose key the log can take, and that key; nothing is changed.

    Args:
        ledger: Open.
        address: `unix:/path`.
        size: The log's size; everything is signed.

    Raises:
        ConfigurationError: The address is none (exit 2).
        SignerUnavailableError: Nobody answers there (4).
        RefusedToSignError: It signs for another log, or has signed what this log does not continue (3).
    """
    process = signer_process(address, ledger.origin)
    key, _ = process.last()
    with ledger.log.store.read() as connection:
        hashes = store_log.SqlHashes(connection)
        process.ready(size, [key], lambda at: root_at(hashes, at))
    return process, key


def is_recorded(ledger: Ledger, version: int) -> bool:
    """Whether the log has its entry of a version of the trust root."""
    return any(entry.body["version"] == version for entry in ledger.institutional("trust-root"))


def settings_naming(home: Home, address: str) -> str:
    """The text of luvalla.toml with another signer, everything else as it stands.

    Raises:
        ConfigurationError: The file is not written as `luvalla init` writes it: the line is to be changed by hand.
    """
    before = read_settings(home)
    text = home.config.read_text(encoding="utf-8")
    # JSON's escapes are TOML's.
    line = f"signer = {encode(address).decode()}"
    changed = (
        _LINE.sub(lambda _: line, text, count=1)
        if before.signer is not None
        else _TABLE.sub(lambda found: f"{found[0]}\n{line}", text, count=1)
    )
    by_hand = ConfigurationError(
        f"{home.config} is not written in the way that this command can change",
        f"write `{line}` into its table [consent] by hand, then call the same again",
    )
    try:
        after = parse_settings(home, changed)
    except ConfigurationError as error:
        raise by_hand from error
    if after != replace(before, signer=address):
        raise by_hand
    return changed


def save_settings(home: Home, text: str) -> None:
    """Write luvalla.toml: beside, synced, renamed.

    Raises:
        ConsentUnavailableError: It cannot be written.
    """
    try:
        replace_file(home.config, text.encode(), mode=home.config.stat().st_mode & 0o777)
    except OSError as error:
        raise ConsentUnavailableError(
            f"{home.config} cannot be written: {error.strerror}", "check the folder and its permissions"
        ) from error

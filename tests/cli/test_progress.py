"""Whoever watches a terminal is told what an audit is doing; a file or a pipe is told nothing."""

from __future__ import annotations

import io
import sys

from governance.command_parts import progress

SID = "health-benefit"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_an_audit_says_what_it_does_to_who_watches(city, luvalla, monkeypatch):
    terminal = Terminal()
    monkeypatch.setenv("TERM", "xterm")
    run = ["audits", "run", SID, "1", "--population", city.development, "--by", "eetu"]
    monkeypatch.setattr(sys, "stderr", terminal)
    said = luvalla(city.home, *run)
    told = terminal.getvalue()
    assert told.index("scoring everyone") < told.index("check ") < told.index("writing the report")
    assert "check " not in said.out


def test_a_pipe_and_whoever_asked_for_json_are_told_nothing(monkeypatch):
    for stream, quiet in ((io.StringIO(), False), (Terminal(), True)):
        monkeypatch.setattr(sys, "stderr", stream)
        with progress(quiet=quiet) as busy:
            busy("scoring everyone")
        assert stream.getvalue() == ""

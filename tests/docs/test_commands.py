"""Commands that the documents name in passing, or that no block runs, exist and take these options."""

import importlib.util
import re
import shlex

import pytest
import typer

from pentimento.service.cli.main import app
from pentimento.training.commands.main import register
from pentimento.training.families.table import recipes
from tests.docs.snippets import PAGES, ROOT, page_of, snippets

_INLINE = re.compile(r"(?<!`)`((?:pentimento|make|python -m) [^`]+)`", re.DOTALL)
PROGRAM = typer.Typer()
PROGRAM.registered_commands = list(app.registered_commands)
register(PROGRAM)  # the commands of the training side, as the entry point adds them
COMMANDS = typer.main.get_group(PROGRAM).commands
TARGETS = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def commands_of(text):
    """Commands in running text, and in bash blocks that are not run as they stand."""
    named = {" ".join(found.split()) for found in _INLINE.findall(text)}
    for snippet in snippets(ROOT / "README.md", text):
        if snippet.language == "bash":
            for line in snippet.code.replace("\\\n", " ").splitlines():
                words = " ".join(shlex.split(line, comments=True))
                if words.startswith(("pentimento ", "make ")):
                    named.add(words)
    return sorted(named)


def refuse_unknown(command):
    """Raises for a command that is none; runs nothing."""
    program, *words = shlex.split(command)
    if program == "make":
        assert words[0] in TARGETS, f"the Makefile has no {words[0]}"
    elif program == "python":
        assert importlib.util.find_spec(words[1]), f"there is no module {words[1]}"
    else:
        if words[0].startswith("-"):
            return
        found = COMMANDS.get(words[0])
        assert found, f"there is no pentimento {words[0]}"
        within = getattr(found, "commands", {})  # of a group, such as `experiment`
        if within and len(words) > 1 and not words[1].startswith("-"):
            name = min(within) if words[1] == "NAME" else words[1]
            assert name in within, f"there is no pentimento {words[0]} {name}"
            found, words = within[name], words[1:]
        if len(words) > 1:
            assert words[0] != "train" or words[1] in {*recipes(), "NAME"}, f"there is no recipe {words[1]}"
            options = {
                name for parameter in found.params for name in parameter.opts + parameter.secondary_opts
            }
            for word in words[1:]:
                if word.startswith("-") and word != "-":  # `-o -` writes to stdout
                    assert word.split("=")[0] in options | {"--help"}, f"pentimento {words[0]} has no {word}"


@pytest.mark.parametrize("page", PAGES, ids=page_of)
def test_commands_that_are_named_exist(page):
    for command in commands_of(page.read_text()):
        refuse_unknown(command)


@pytest.mark.parametrize(
    "command",
    [
        "pentimento paint",
        "pentimento draw --brush",
        "pentimento experiment alchemy",
        "pentimento experiment modes --brush",
        "pentimento train oil",
        "make tea",
        "python -m benchmarks.none",
    ],
)
def test_what_does_not_exist_is_noticed(command):
    (named,) = commands_of(f"First `{command}`, then look.")
    with pytest.raises((AssertionError, ModuleNotFoundError)):
        refuse_unknown(named)

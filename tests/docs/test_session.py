"""What runs the documents notices when they are wrong."""

import pytest

from tests.docs.session import Session
from tests.docs.snippets import ROOT, snippets

PAGE = ROOT / "docs" / "quick-start.md"


@pytest.fixture(scope="module")
def session(live, tmp_path_factory):
    return Session(tmp_path_factory.mktemp("session"), live, tmp_path_factory.mktemp("cache"))


def block(code, language="bash", title=""):
    caption = f' title="{title}"' if title else ""
    return f"```{language}{caption}\n{code}\n```\n"


def run(session, text):
    for snippet in snippets(PAGE, text):
        if snippet.runs:
            session.run(snippet)


WRONG = {
    "a command that fails": block("false"),
    "one that fails before others": block("false\necho well"),
    "one that fails in a pipe": block("false | cat; echo well"),
    "an HTTP error": block("curl -s localhost:8000/models/none"),
    "silence": block("true"),
    "another output": block("echo five") + block("six", "text", "Prints"),
    "what is not refused": block("echo yes", title="Refused, it says"),
    "another status": block("curl -s localhost:8000/models/none", title="Refused: 400"),
    "a program that fails": block("raise SystemExit(1)", "python"),
    "a server that does not start": block("pentimento serve --bundles none"),
}


@pytest.mark.parametrize("text", WRONG.values(), ids=WRONG)
def test_it_notices(session, text):
    with pytest.raises(AssertionError):
        run(session, text)


def test_it_notices_another_picture(session):
    text = block("pentimento draw gran5-mnist --n 6 --seed 5 --scale 2 -o gran5-mnist.png")
    (snippet,) = snippets(ROOT / "docs" / "models" / "gran.md", text)
    with pytest.raises(AssertionError, match="levels"):
        session.run(snippet)


def test_it_runs_the_smaller_form(session):
    title = "Long. The tests run it with: small | smaller"
    run(session, block("echo one\necho two", title=title) + block("one small\ntwo smaller", "text", "Prints"))


def test_a_started_server_is_there_for_the_commands_after_it(session):
    code = "pentimento serve\ncurl -s localhost:8000/healthz"
    run(session, block(code) + block('Pentimento is ready after …\n{"status":"alive"}', "text", "Prints"))


def test_what_is_not_run_says_why(session):
    run(session, block("false", title="Not run by the tests: it fails"))
    with pytest.raises(AssertionError):
        run(session, block("false", title="Not run by the tests: "))


@pytest.mark.parametrize("fence", ["```sh", "```", "```bash hl_lines=1"])
def test_a_block_that_nobody_would_run_is_noticed(fence):
    with pytest.raises(AssertionError):
        snippets(PAGE, f"{fence}\nls\n```\n")

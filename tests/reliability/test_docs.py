"""docs/reliability.md names every proof in this folder, and nothing that is not there."""

import ast
import re

from tests.reliability.server import REPOSITORY

HERE = "tests/reliability/"


def names_in(path):
    tree = ast.parse((REPOSITORY / path).read_text())
    return {node.name for node in tree.body if getattr(node, "name", "").startswith("test_")}


def test_the_table_is_whole():
    text = (REPOSITORY / "docs/reliability.md").read_text()
    named = {
        (place if "/" in place else HERE + place, test)
        for place, test in re.findall(r"`([\w/]+\.py)::(\w+)`", text)
    }
    for path, test in named:
        assert test in names_in(path), f"{path} has no {test}"
    folder = REPOSITORY / HERE
    proofs = {
        (HERE + file.name, test)
        for file in folder.glob("test_*.py")
        if file.name != "test_docs.py"
        for test in names_in(HERE + file.name)
    }
    assert not proofs - named, "a proof is not in docs/reliability.md"

"""What users are told to install: ours from a checkout, as nobody has published it on an index."""

import re
import subprocess
import tomllib
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).parents[1]
INSTALL = re.compile(r"(?:pip|npm) install ((?:[^\n`\"]|\"(?=\.))*)")


def hints():
    """Each line of a tracked text that installs something, with where it stands."""
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True).stdout
    files = tracked.split("\0")[:-1] or [path.relative_to(ROOT) for path in ROOT.glob("docs/**/*.md")]
    for name in files:
        path = ROOT / name
        if path.is_file() and path.suffix in {".md", ".py", ".toml", ".ipynb", ""}:
            for hint in INSTALL.findall(path.read_text("utf-8", errors="replace")):
                yield str(name), hint


def test_no_hint_names_our_distributions_on_an_index():
    found = list(hints())
    assert sum("./clients/python" in hint for _, hint in found) >= 2, "the hints are found"
    assert [each for each in found if re.search(r"(?<![\w/.-])pentimento(?![\w/])", each[1])] == []


def test_the_distribution_has_a_name_that_is_not_taken():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["name"] != "pentimento", "which is another project's on PyPI"
    assert metadata.version("pentimento-canvases") == project["version"]

"""The example notebook runs against a real server with bundles of the zoo, and is kept small and clean."""

import base64
import io
import re
import warnings
from pathlib import Path

import pytest
from PIL import Image

from tests.service.live import LiveServer

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "clients" / "python" / "examples" / "drawing.ipynb"

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Jupyter's own
    import nbformat
    from nbclient import NotebookClient


def outputs(notebook) -> list[tuple[str, object]]:
    """What a reader sees: texts without figures that differ from run to run, and the sizes of pictures."""
    seen: list[tuple[str, object]] = []
    for cell in notebook.cells:
        text = "".join(output.text for output in cell.get("outputs", ()) if output.output_type == "stream")
        text = re.sub(r"-?\d+\.\d*", "#", text)  # times and, by the processor, last digits
        seen.append(("text", " ".join(text.split())))
        for output in cell.get("outputs", ()):
            if output.output_type != "stream":
                picture = Image.open(io.BytesIO(base64.b64decode(output.data["image/png"])))
                seen.append(("picture", picture.size))
    return seen


@pytest.mark.filterwarnings("ignore")  # Jupyter's own
def test_it_runs_and_shows_what_it_shows(zoo: LiveServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    kept = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(kept)
    run = nbformat.read(NOTEBOOK, as_version=4)
    for cell in run.cells:
        cell.pop("outputs", None)
        if cell.cell_type == "code":
            cell.outputs = []
    monkeypatch.setenv("PENTIMENTO_SERVER", zoo.http)
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "clients" / "python" / "src"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    NotebookClient(run, timeout=60, kernel_name="python3").execute()
    # The first code lists what the server has, which here is not the whole zoo.
    assert outputs(run)[2:] == outputs(kept)[2:]
    assert sum(kind == "picture" for kind, _ in outputs(run)) == 4


def test_it_is_small_and_says_nothing_of_whoever_ran_it():
    text = NOTEBOOK.read_text()
    assert len(text) < 80_000
    assert "/home/" not in text and "/root/" not in text and "Traceback" not in text
    assert not re.search(r"127\.0\.0\.1|execution\"?:", text)

"""The import rule of ARCHITECTURE.md, seen from a fresh interpreter; and whose names are imported."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("bundle", "models", "pictures", "program", "service", "training")
TRAINING_SIDE = {"torch", "onnx", "onnxscript", "matplotlib", "sklearn", "models", "training"}


def imported(*statements):
    """What is loaded after these statements: packages, and our own folders by their names."""
    script = "; ".join([*statements, "import sys", "print(' '.join(sys.modules))"])
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    modules = [module.removeprefix("pentimento.") for module in result.stdout.split()]
    return {module.partition(".")[0] for module in modules}


@pytest.mark.parametrize(
    "package",
    [
        "pentimento.bundle.store",
        "pentimento.bundle.noise",
        "pentimento.service.app",
        "pentimento.service.cli.main",
        "pentimento.service.workers.worker",
        "pentimento_client",
    ],
)
def test_the_serving_side_never_loads_the_training_side(package):
    loaded = imported(f"import {package}")
    assert not loaded & TRAINING_SIDE
    assert loaded & {"bundle", "service", "pentimento_client"}, "the names are those that are looked for"


def test_the_contract_needs_numpy_and_pydantic_only():
    loaded = imported("import pentimento.bundle.store, pentimento.bundle.noise, pentimento.bundle.schema")
    assert not loaded & {"fastapi", "grpc", "onnxruntime", "PIL", "service"}


def test_models_know_neither_bundles_nor_training():
    assert not imported("import pentimento.models.recurrent.gran") & {"bundle", "training", "service"}


def test_import_linter_finds_no_broken_contract():
    result = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as m; m()", "--no-cache"],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    "package", ["pentimento.service.engine.runtime", "pentimento.training.export.parity"]
)
def test_onnx_runtime_never_reports_home(package):
    script = f"import os; os.environ.pop('ORT_DISABLE_TELEMETRY', None); import {package}; "
    script += "print(os.environ['ORT_DISABLE_TELEMETRY'])"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "1"


@pytest.mark.parametrize("folder", FOLDERS)
def test_tools_that_read_code_find_each_folder_by_its_package(folder):
    link = ROOT / "namespace" / "pentimento" / folder
    assert link.is_symlink() and link.resolve() == ROOT / folder
    assert not Path(os.readlink(link)).is_absolute()
    assert {path.name for path in link.parent.iterdir()} == set(FOLDERS)


def test_a_folder_that_it_is_started_in_is_not_imported_from(tmp_path):
    """Neither a repository with a `models` and a `service` of its own, nor by a worker."""
    for name in (*FOLDERS, "tests", "onnxruntime", "numpy"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(f"raise AssertionError('{name} was imported')\n")
    program = Path(sys.executable).with_name("pentimento")
    drawn = subprocess.run(
        [program, "draw", "gran5-mnist", "--bundles", ROOT / "zoo", "-o", "drawn.png"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert drawn.returncode == 0, drawn.stderr
    script = (
        "import sys; sys.path.remove(''); from pathlib import Path\n"
        "from pentimento.service.settings import Settings\n"
        "from pentimento.service.workers.run import run\n"
        "options = dict(http_port=0, grpc_port=0, workers=2, calibrate=False)\n"
        "sys.exit(run(Settings(bundles=Path(sys.argv[1]), **options)))\n"
    )
    command = [sys.executable, "-c", script, str(ROOT / "zoo")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=tmp_path) as served:
        said = served.stdout.readline() + served.stdout.readline()
        served.terminate()
    assert "2 workers" in said, "whose interpreters would have found the folder's numpy"
    assert served.returncode == 0

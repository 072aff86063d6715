"""The import rule of ARCHITECTURE.md, seen from a fresh interpreter."""

import subprocess
import sys

import pytest

TRAINING_SIDE = ["torch", "models", "training", "onnx", "onnxscript", "matplotlib", "sklearn"]


def imported(*statements):
    script = "; ".join([*statements, "import sys", "print(' '.join(sys.modules))"])
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return {module.partition(".")[0] for module in result.stdout.split()}


@pytest.mark.parametrize(
    "package",
    [
        "pentimento.bundle.store",
        "pentimento.bundle.noise",
        "pentimento.service.app",
        "pentimento.service.cli.main",
        "pentimento_client",
    ],
)
def test_the_serving_side_never_loads_the_training_side(package):
    assert not imported(f"import {package}") & set(TRAINING_SIDE)


def test_the_contract_needs_numpy_and_pydantic_only():
    outside = {"fastapi", "grpc", "onnxruntime", "PIL", "service"}
    assert (
        not imported("import pentimento.bundle.store, pentimento.bundle.noise, pentimento.bundle.schema")
        & outside
    )


def test_models_know_neither_bundles_nor_training():
    assert not imported("import pentimento.models.recurrent.gran") & {"bundle", "training", "service"}


def test_import_linter_finds_no_broken_contract():
    result = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as m; m()", "--no-cache"],
        capture_output=True,
        text=True,
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

"""Generates the gRPC stubs, for the server and for the Python client: `python proto/generate.py [--check]`.

Needs grpcio-tools of the protobuf 6 line: stubs made by it run with protobuf 6 and 7, while those of a newer
generator would refuse the protobuf 6 that other clients pin. Both copies describe the same file by the same
name, so they can live in one process.
"""

import argparse
import importlib.resources
import re
import sys
import tempfile
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).resolve().parent.parent
PROTO = "pentimento/v1/canvas_service.proto"
TARGETS = (ROOT / "service" / "grpc" / "pb", ROOT / "clients" / "python" / "src" / "pentimento_client" / "pb")
INIT = '"""Generated from proto/ by proto/generate.py: do not edit."""\n'


def generate() -> dict[str, str]:
    """Runs protoc.

    Returns:
        File contents by file name.
    """
    well_known = importlib.resources.files("grpc_tools") / "_proto"
    with tempfile.TemporaryDirectory() as folder:
        outputs = [f"--{kind}_out={folder}" for kind in ("python", "grpc_python", "pyi")]
        arguments = ["protoc", f"-I{ROOT / 'proto'}", f"-I{well_known}", *outputs, PROTO]
        if protoc.main(arguments) != 0:
            raise SystemExit("protoc failed; its message is above")
        files = {path.name: path.read_text() for path in Path(folder, PROTO).parent.iterdir()}
    # protoc imports by the proto package's path, which would be a top-level Python package `pentimento`.
    files = {
        name: re.sub(r"^from pentimento\.v1 import ", "from . import ", text, flags=re.MULTILINE)
        for name, text in files.items()
    }
    return {"__init__.py": INIT, **files}


def main() -> int:
    """Writes the stubs, or with `--check` says which differ from what the proto gives."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit with 1 if a stub is out of date"
    )
    check: bool = parser.parse_args().check
    stale: list[Path] = []
    for name, text in generate().items():
        for target in TARGETS:
            path = target / name
            if path.exists() and path.read_text() == text:
                continue
            stale.append(path)
            if not check:
                target.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
    for path in stale:
        print(f"{'out of date' if check else 'written'}: {path.relative_to(ROOT)}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())

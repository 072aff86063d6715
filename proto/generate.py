"""Generates the gRPC stubs, for the server and for the Python client: `python proto/generate.py [--check]`.

Needs grpcio-tools of the protobuf 6 line: stubs made by it run with protobuf 6 and 7, while those of a newer
generator would refuse the protobuf 6 that other clients pin. Both copies describe the same file by the same
name, so they can live in one process.

The Open Inference Protocol is for the server alone. Its package is called `inference` by the protocol, as in
the stubs of its clients: ours have a pool of descriptors of their own, or the two could not live in one
process (kserve/kserve#3099).
"""

import argparse
import importlib.resources
import re
import sys
import tempfile
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).resolve().parent.parent
SERVER = ROOT / "service" / "grpc" / "pb"
CLIENT = ROOT / "clients" / "python" / "src" / "pentimento_client" / "pb"
OURS, THEIRS = "pentimento/v1/canvas_service.proto", "inference/open_inference.proto"
INIT = '"""Generated from proto/ by proto/generate.py: do not edit."""\n'


def generate(proto: str, kinds: tuple[str, ...] = ("python", "grpc_python", "pyi")) -> dict[str, str]:
    """Runs protoc.

    Args:
        proto: A file below proto/.
        kinds: Of files that are wanted.

    Returns:
        File contents by file name.
    """
    well_known = importlib.resources.files("grpc_tools") / "_proto"
    with tempfile.TemporaryDirectory() as folder:
        outputs = [f"--{kind}_out={folder}" for kind in kinds]
        arguments = ["protoc", f"-I{ROOT / 'proto'}", f"-I{well_known}", *outputs, proto]
        if protoc.main(arguments) != 0:
            raise SystemExit("protoc failed; its message is above")
        files = {path.name: path.read_text() for path in Path(folder, proto).parent.iterdir()}
    # protoc imports by the proto package's path, which would be a top-level Python package `pentimento`.
    files = {
        name: re.sub(r"^from pentimento\.v1 import ", "from . import ", text, flags=re.MULTILINE)
        for name, text in files.items()
    }
    return {"__init__.py": INIT, **files}


def generate_all() -> dict[Path, str]:
    """Contents of all stubs by path."""
    found: dict[Path, str] = {}
    for name, text in generate(OURS).items():
        found |= {SERVER / name: text, CLIENT / name: text}
    for name, text in generate(THEIRS, ("python", "pyi")).items():
        found[SERVER / name] = text.replace("_descriptor_pool.Default()", "_descriptor_pool.DescriptorPool()")
    return found


def main() -> int:
    """Writes the stubs, or with `--check` says which differ from what the proto gives."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit with 1 if a stub is out of date"
    )
    check: bool = parser.parse_args().check
    stale: list[Path] = []
    for path, text in generate_all().items():
        if path.exists() and path.read_text() == text:
            continue
        stale.append(path)
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    for path in stale:
        print(f"{'out of date' if check else 'written'}: {path.relative_to(ROOT)}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())

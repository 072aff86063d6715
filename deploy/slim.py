"""Takes out of the environment that runs it what a server never loads. Runs in the image's build.

What is taken away by mistake fails the build: its last step imports the whole server.
"""

import shutil
import sysconfig
from pathlib import Path

UNUSED = (
    "pip",
    "pip-*.dist-info",
    "setuptools",
    "setuptools-*.dist-info",
    "pkg_resources",
    "_distutils_hack",
    "distutils-precedence.pth",
    # ONNX Runtime without what prepares models, and without the library for C, which Python's has inside.
    "onnxruntime/backend",
    "onnxruntime/datasets",
    "onnxruntime/quantization",
    "onnxruntime/tools",
    "onnxruntime/transformers",
    "onnxruntime/capi/libonnxruntime.so.*",
    "PIL/_avif*.so",  # a format that the server refuses
    "pillow.libs/libavif-*",
    "**/tests",  # numpy's, mostly
    "**/*.pyi",  # for type checkers
    "**/*.h",  # for compilers
    "**/__pycache__",
)


def remove(path: Path) -> None:
    """Removes a file or a folder."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


def main() -> None:
    """Removes everything."""
    packages = Path(sysconfig.get_path("purelib"))
    for path in Path(sysconfig.get_path("scripts")).glob("pip*"):
        remove(path)
    for pattern in UNUSED:
        for path in sorted(packages.glob(pattern)):
            if path.exists():  # not within one that is gone already
                remove(path)


if __name__ == "__main__":
    main()

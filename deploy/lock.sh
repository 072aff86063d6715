#!/bin/sh
# Writes deploy/requirements-cpu.txt and -gpu.txt: every package of an image in one version, with the hashes of its
# files. `make lock`; needs uv. Hashes are those of the index that pip is set to; they must be PyPI's.
set -eu
cd "$(dirname "$0")/.."
for runtime in cpu gpu; do
    extra=""
    if [ "$runtime" = gpu ]; then extra="onnxruntime-gpu[cuda,cudnn]"; fi
    python3 deploy/requirements.py "$runtime" | { cat; printf '%s\n' "$extra"; } |
        uv pip compile - clients/python/pyproject.toml deploy/build-requirements.txt --quiet --generate-hashes \
            --python-version 3.11 --python-platform x86_64-unknown-linux-gnu --no-emit-index-url --no-emit-find-links \
            --no-annotate --no-header --output-file "deploy/requirements-$runtime.txt" "$@"
done

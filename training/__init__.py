"""Training, evaluation and export, offline and with torch. The server never imports this package."""

import os

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # no usage reports; see service/__init__.py

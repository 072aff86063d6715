"""Which folder is which package; everything else is in pyproject.toml.

The folders lie side by side at the top, and are packages of the namespace `pentimento`: `service/app.py` is
`pentimento.service.app`. Names such as `models` and `service` belong to everybody: a program that is started
in a folder with a `models` of its own must not import that.
"""

from setuptools import find_packages, setup

FOLDERS = ("bundle", "models", "pictures", "program", "service", "training")
# The studio's files are no Python: in a checkout they lie in clients/.
STUDIO = {"pentimento.service.studio": "clients/web", "pentimento.service.studio_client": "clients/js/src"}
PARTS = ("fonts", "parts", "style", "swagger", "tabs")

setup(
    packages=[
        *(
            f"pentimento.{name}"
            for folder in FOLDERS
            for name in find_packages(include=[folder, f"{folder}.*"])
        ),
        *STUDIO,
        *(f"pentimento.service.studio.{part}" for part in PARTS),
    ],
    package_dir={f"pentimento.{folder}": folder for folder in FOLDERS} | STUDIO,
)

"""The bundles that a soak serves: real ones, toys, one that changes its version, one that comes and goes."""

__all__ = ["GUEST", "VISITOR", "ZOO", "Guests"]

import json
import os
from pathlib import Path

from pentimento.bundle.store import MANIFEST
from tests.reliability.puppets import write_puppets
from tests.reliability.server import REPOSITORY
from tests.service.toys import TOYS, write_toys

GUEST, VISITOR = "toy-guest", "toy-visitor"
ZOO = ("gran1-mnist", "gran5-mnist", "vae-mnist", "pixelvae-mnist")


class Guests:
    """Writes the folder of bundles, and changes it while it is served.

    Args:
        folder: An empty one; `bundles` will be the folder of bundles in it.
    """

    def __init__(self, folder: Path) -> None:
        self.bundles = folder / "bundles"
        self._away = folder / VISITOR  # where the visitor is when it is not there
        self._changes = 0
        self.bundles.mkdir()
        write_toys(self.bundles)
        write_puppets(self.bundles)
        for name in ZOO:
            (self.bundles / name).symlink_to(REPOSITORY / "zoo" / name)
        for place in (self.bundles / GUEST, self._away):
            TOYS["toy-once"](place)

    def change(self) -> dict[str, str]:
        """Replaces one bundle by another version, and adds or removes another.

        Returns:
            Name and version of those that a server should serve now.
        """
        self._changes += 1
        manifest = self.bundles / GUEST / MANIFEST
        content = json.loads(manifest.read_text()) | {"version": f"1.0.{self._changes}"}
        written = manifest.with_suffix(".new")
        written.write_text(json.dumps(content))
        os.replace(written, manifest)
        served = {GUEST: f"1.0.{self._changes}"}
        place = self.bundles / VISITOR
        if place.exists():
            place.rename(self._away)
        else:
            self._away.rename(place)
            served[VISITOR] = "1.0.0"
        return served

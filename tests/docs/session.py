"""Runs the blocks of one page in a folder, one after the other, as a reader would."""

__all__ = ["Session"]

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from tests.docs.snippets import ROOT, Snippet
from tests.ports import free_port
from tests.service.live import LiveServer
from tests.slice import SLICE

_PRELUDE = Path(__file__).with_name("session.sh")
_SERVES = re.compile(r"^(?:\w+=\S+ )*(?:pentimento|make) serve", re.MULTILINE)
_PICTURE_TOLERANCE = 10.0  # mean difference in 256 levels; another drawing differs by 25 and more


class Session:
    """Runs blocks against the running server, or the one that they start, in a folder like the repository's.

    Args:
        folder: Empty; gets a copy of zoo/, a digit, and MNIST as the slice that the tests have.
        live: The server at the addresses that the documents name.
        cache: The user's cache folder; pages may share it.
    """

    def __init__(self, folder: Path, live: LiveServer, cache: Path) -> None:
        self.folder, self.live = folder, live
        shutil.copytree(ROOT / "zoo", folder / "zoo")
        shutil.copy(ROOT / "docs" / "images" / "digit.png", folder)
        for name in ("docs", "proto"):
            (folder / name).symlink_to(ROOT / name)
        (folder / "data").mkdir()
        (folder / "data" / "mnist").symlink_to(SLICE)
        own = {name: value for name, value in os.environ.items() if not name.startswith("PENTIMENTO_")}
        self._environment = own | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PENTIMENTO_DATA": str(folder / "data"),
            "XDG_CACHE_HOME": str(cache),
            "PENTIMENTO_CALIBRATE": "false",
            "PENTIMENTO_WORKERS": "1",  # of servers that blocks start: each worker is a process to start
            "OMP_NUM_THREADS": "1",  # small networks; threads would wait for each other
        }

    def run(self, snippet: Snippet) -> None:
        """Runs a block, and checks that it did what the page says."""
        if snippet.is_refused:
            commands = snippet.script.splitlines()
            statuses = re.findall(r"\b[45]\d\d\b", snippet.title) or [""] * len(commands)
            for command, status in zip(commands, statuses, strict=True):
                done = self._bash(command) if snippet.language == "bash" else self._python(command)
                assert done.returncode, f"{snippet}: was not refused: {command}\n{done.stdout}"
                assert not status or f'"status":{status}' in done.stdout, f"{snippet}: {done.stdout}"
                assert done.stdout.strip() or done.stderr.strip(), (
                    f"{snippet}: refused without a word: {command}"
                )
            return
        before = self._files()
        done = self._bash(snippet.script) if snippet.language == "bash" else self._python(snippet.script)
        assert done.returncode == 0, f"{snippet} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
        written = {path for path, changed in self._files().items() if before.get(path) != changed}
        assert done.stdout.strip() or written, f"{snippet} neither prints nor writes anything"
        if snippet.prints is not None:
            wanted = ".*".join(re.escape(part) for part in snippet.prints.strip().split("…"))
            assert re.fullmatch(wanted, done.stdout.strip(), re.DOTALL), f"{snippet} prints\n{done.stdout}"
        for path in written:
            self._check_picture(path, snippet)

    def _bash(self, script: str) -> subprocess.CompletedProcess[str]:
        script = f"source {_PRELUDE}\n{script}"
        if _SERVES.search(script):
            http, grpc = free_port(), free_port()
            environment = {"PENTIMENTO_HTTP_PORT": str(http), "PENTIMENTO_GRPC_PORT": str(grpc)}
            return self._call(["bash", "-c", self._addressed(script, http, grpc)], environment)
        return self._call(["bash", "-c", self._addressed(script)], {})

    def _python(self, script: str) -> subprocess.CompletedProcess[str]:
        (self.folder / "snippet.py").write_text(self._addressed(script))
        return self._call([sys.executable, "snippet.py"], {})

    def _addressed(self, script: str, http: int | None = None, grpc: int | None = None) -> str:
        script = script.replace("localhost:8000", f"localhost:{http or self.live.server.http_port}")
        return script.replace("localhost:50051", f"localhost:{grpc or self.live.server.grpc_port}")

    def _call(self, words: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            words,
            cwd=self.folder,
            env=self._environment | environment,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=300,
        )

    def _files(self) -> dict[Path, int]:
        return {
            path: path.stat().st_mtime_ns
            for path in self.folder.rglob("*")
            if path.is_file() and path.name not in ("snippet.py", "server.log")
        }

    def _check_picture(self, path: Path, snippet: Snippet) -> None:
        """Checks that a picture of the page is what its command draws, where the command says the seed."""
        shown = ROOT / "docs" / "images" / path.name
        if path.suffix != ".png":
            return
        assert path.read_bytes().startswith(b"\x89PNG"), f"{snippet}: {path.name} is no PNG"
        if f"images/{path.name})" not in snippet.page.read_text() or "seed" not in snippet.code:
            return
        drawn, wanted = (np.asarray(Image.open(one).convert("RGB"), dtype=float) for one in (path, shown))
        assert drawn.shape == wanted.shape, (
            f"{snippet}: {path.name} is {drawn.shape}, the page's {wanted.shape}"
        )
        difference = np.abs(drawn - wanted).mean()
        assert difference < _PICTURE_TOLERANCE, f"{snippet}: {path.name} differs by {difference:.1f} levels"

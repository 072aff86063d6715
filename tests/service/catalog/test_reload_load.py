"""Bundles come, change, break and go while clients draw without a pause: none fails, none gets a mixture."""

import io
import shutil
import threading
import time

import grpc
import numpy as np
import pytest
from pentimento_client import Client, Code, PentimentoError

from pentimento.service.grpc.pb import canvas_service_pb2 as pb
from pentimento.service.grpc.pb import canvas_service_pb2_grpc as pb_grpc
from tests.service.live import LiveServer
from tests.service.revisions import TOKEN, Seen, check, draw, version, write_in_place, write_revision
from tests.service.toys import spoil_hash

pytestmark = pytest.mark.alone

ROUNDS = 12


class Lines:
    """The ways from one client to the server."""

    def __init__(self, server, transport):
        # Without retries: they would hide what a reload must not cause.
        self.client = Client(server.http if transport == "http" else f"grpc://{server.grpc}", retries=0)
        self.http = server.client()
        self.channel = grpc.insecure_channel(server.grpc)
        self.stub = pb_grpc.CanvasServiceStub(self.channel)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.client.close()
        self.http.close()
        self.channel.close()


def steady(lines):
    return draw(lines.client, "steady", n=2, score=True)


def default(lines):
    return draw(lines.client, None)


def judged(lines):
    """Drawn by one bundle that changes, judged by another that changes."""
    return draw(lines.client, "other", n=3, score_by="steady")


def guest(lines):
    return draw(lines.client, "guest", n=2)


def whole_over_http(lines):
    response = lines.http.post("/generate?model=steady&n=2", headers={"Accept": "application/x-npy"})
    response.raise_for_status()
    k = int(response.headers["Pentimento-Version"].split(".")[1])
    for step, canvases in enumerate(np.load(io.BytesIO(response.content)).swapaxes(0, 1), 1):
        check(k, step, np.rint(canvases * 255))
    return Seen("steady", k, None)


def whole_over_grpc(lines):
    drawing = pb.DrawingSpec(model="steady", image_count=2)
    answer = lines.stub.Generate(pb.GenerateRequest(drawing=drawing, encoding=pb.IMAGE_ENCODING_UINT8))
    k = int(answer.header.version.split(".")[1])
    for frame in answer.frames:
        check(k, frame.step, np.frombuffer(b"".join(frame.images), np.uint8))
    return Seen("steady", k, None)


class Drawer(threading.Thread):
    """Asks again and again until told to stop, or until anything is amiss."""

    def __init__(self, server, transport, ask, stop):
        super().__init__()
        self.server, self.transport, self.ask, self.stop = server, transport, ask, stop
        self.seen, self.times, self.missing, self.error = [], [], 0, None
        self.start()

    def run(self):
        try:
            with Lines(self.server, self.transport) as lines:
                while not self.stop.is_set():
                    began = time.monotonic()
                    try:
                        self.seen.append(self.ask(lines))
                        self.times.append((began, time.monotonic()))
                    except PentimentoError as error:
                        if error.code is not Code.NOT_FOUND or self.ask is not guest:
                            raise
                        self.missing += 1
        except Exception as error:
            self.error = error

    @property
    def ks(self):
        return [seen.k for seen in self.seen]


class Operator:
    """Who changes the bundles, and asks for reloads over one transport and the other in turn."""

    def __init__(self, server, folder):
        self.folder, self.swaps = folder, []
        self._urls = (server.http, f"grpc://{server.grpc}")
        self._copying = iter(())

    def round(self, k):
        """Two reloads: version k comes, and a guest with it; then one bundle breaks and the guest goes."""
        write_revision(self.folder / "steady", k)
        write_revision(self.folder / "guest", k)
        complete = self._copy_on(k)
        done = self._reload()
        replaced = {each.name: each.version for each in done.replaced}
        assert replaced == {"steady": version(k)} | ({"other": version(k - 1)} if complete else {})
        assert [each.name for each in done.refused] == ([] if complete else ["other"])
        assert [each.name for each in done.added] == ["guest"] and not done.removed
        write_revision(self.folder / "steady", 30)
        spoil_hash(self.folder / "steady")
        shutil.rmtree(self.folder / "guest")
        done = self._reload()
        assert done.removed == ("guest",) and done.default == "steady" and "steady" in done.kept
        (broken,) = (each for each in done.refused if each.name == "steady")
        assert f"version {version(k)}, which was served before, still is" in broken.reason

    def _copy_on(self, k):
        """Writes half of `other` file by file in odd rounds, and the rest in even ones."""
        if k % 2:
            self._copying = write_in_place(self.folder / "other", k, manifest_first=k % 4 == 1)
        for _ in range(4):
            next(self._copying, None)
        return k % 2 == 0

    def _reload(self):
        with Client(self._urls[len(self.swaps) % 2]) as client:
            done = client.reload_models(TOKEN)
        self.swaps.append(time.monotonic())
        return done


def test_nobody_notices(tmp_path):
    for name in ("steady", "other"):
        write_revision(tmp_path / name, 0)
    server = LiveServer(tmp_path, admin_token=TOKEN, calibrate=False, default_model="steady")
    stop = threading.Event()
    drawers = [Drawer(server, way, ask, stop) for way in ("http", "grpc") for ask in (steady, judged, guest)]
    drawers += [Drawer(server, "http", ask, stop) for ask in (default, whole_over_http, whole_over_grpc)]
    operator = Operator(server, tmp_path)
    try:
        for k in range(1, ROUNDS + 1):
            operator.round(k)
            assert all(drawer.is_alive() for drawer in drawers)
    finally:
        stop.set()
        for drawer in drawers:
            drawer.join(60)
        server.close()
        errors = [drawer.error for drawer in drawers if drawer.error is not None]
        assert not errors, errors
    of_steady = [drawer for drawer in drawers if drawer.ask not in (judged, guest)]
    for drawer in of_steady:
        assert drawer.ks == sorted(drawer.ks), "an older version came back"
        assert len(set(drawer.ks)) > ROUNDS / 2 and max(drawer.ks) < 30
    spans = [span for drawer in of_steady for span in drawer.times]
    assert any(begin < swap < end for begin, end in spans for swap in operator.swaps)
    judgements = [seen for drawer in drawers for seen in drawer.seen if drawer.ask is judged]
    assert any(seen.k != seen.judge for seen in judgements) and len({seen.k for seen in judgements}) > 1
    guests = [drawer for drawer in drawers if drawer.ask is guest]
    assert any(drawer.seen for drawer in guests) and any(drawer.missing for drawer in guests)

"""A real Envoy with the proxy's configuration, in front of two real servers."""

__all__ = ["ENVOY", "Proxy", "standing"]

import copy
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import grpc
import httpx
import yaml
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.ports import free_port
from tests.reliability.server import ServerProcess
from tests.service.live import wait_until

CONFIG = Path(__file__).parents[2] / "deploy" / "envoy" / "envoy.yaml"
ENVOY = shutil.which("envoy") or shutil.which("envoy", path=str(Path(sys.executable).parent))


def here(config, port, replicas):
    """The configuration with addresses of this machine in place of the containers'."""
    config = copy.deepcopy(config)
    (listener,) = config["static_resources"]["listeners"]
    listener["address"]["socket_address"] = {"address": "127.0.0.1", "port_value": port}
    for cluster in config["static_resources"]["clusters"]:
        (locality,) = cluster["load_assignment"]["endpoints"]
        (named,) = locality["lb_endpoints"]
        assert named["endpoint"]["address"]["socket_address"]["address"] == "replica"
        ports = [
            replica.http_port if cluster["name"] == "http" else replica.place.grpc_port
            for replica in replicas
        ]
        locality["lb_endpoints"] = [
            {"endpoint": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": port}}}}
            for port in ports
        ]
    return config


class Proxy(NamedTuple):
    """An Envoy that runs."""

    port: int
    replicas: list[ServerProcess]
    pid: int

    @property
    def address(self):
        """Host and port."""
        return f"127.0.0.1:{self.port}"

    @property
    def rss(self):
        """Its resident memory, in bytes."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) * 1024


@contextmanager
def standing(bundles, folder, change=lambda config: config, **settings):
    """An Envoy that sees two servers over both transports.

    `change` is what a test has otherwise in the configuration, and `settings` are the servers'.
    """
    settings = {"calibrate": False, "default_model": "toy-steps", "trusted_proxies": "127.0.0.0/8"} | settings
    replicas = [ServerProcess(bundles, **settings) for _ in range(2)]
    port = free_port()
    path = folder / "envoy.yaml"
    path.write_text(yaml.safe_dump(here(change(yaml.safe_load(CONFIG.read_text())), port, replicas)))
    command = [ENVOY, "-c", path, "--disable-hot-restart", "--concurrency", "1", "--log-level", "error"]
    with subprocess.Popen(command) as process:
        try:
            assert wait_until(lambda: ready(port), 20)
            yield Proxy(port, replicas, process.pid)
        finally:
            process.terminate()
            for replica in replicas:
                replica.kill()


def ready(port):
    """Whether the proxy has a healthy replica behind it, over both transports."""
    try:
        if httpx.get(f"http://127.0.0.1:{port}/readyz", trust_env=False).status_code != 200:
            return False
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            answer = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=5)
            return answer.status == health_pb2.HealthCheckResponse.SERVING
    except (httpx.HTTPError, grpc.RpcError):
        return False

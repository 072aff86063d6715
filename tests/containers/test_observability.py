"""Dashboard and Prometheus ask for what the server says: seen by a real Prometheus, where there is one."""

import json
import re
import shutil
import subprocess
import time
from pathlib import Path

import httpx
import pytest
import yaml
from pentimento_client import Client

from tests.ports import free_port
from tests.programs import missing
from tests.service.live import LiveServer, wait_until
from tests.service.toys import write_toys

ROOT = Path(__file__).parents[2]
DASHBOARD = json.loads((ROOT / "deploy" / "grafana" / "dashboards" / "pentimento.json").read_text())
CONFIG = ROOT / "deploy" / "prometheus" / "prometheus.yml"
PROVISIONING = ROOT / "deploy" / "grafana" / "provisioning"
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
QUERIES = [
    pytest.param(panel["title"], target["expr"], target["legendFormat"], id=f"{panel['title']} {panel['id']}")
    for panel in DASHBOARD["panels"]
    for target in panel.get("targets", [])
]
OF_PROMETHEUS = {"up"}  # what it says by itself


def program(name):
    """A program's path; skips the test where it is not installed."""
    return shutil.which(name) or pytest.skip(missing(name))


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server that was asked for something over both transports."""
    bundles = tmp_path_factory.mktemp("bundles")
    write_toys(bundles, ["toy-steps"])
    server = LiveServer(bundles, calibrate=False)
    for url in (server.http, f"grpc://{server.grpc}"):
        with Client(url) as client, client.stream(n=2, steps=4) as drawing:
            assert len(list(drawing)) == 4
    yield server
    server.close()


@pytest.fixture(scope="module")
def exported(server):
    """Names that /metrics has: of series, and of counters that have none yet."""
    with server.client() as client:
        text = client.get("/metrics").text
    return set(re.findall(r"^(?:# TYPE )?([a-z_]+)(?:\{| )", text, re.MULTILINE))


@pytest.mark.parametrize(("title", "query", "legend"), QUERIES)
def test_a_metric_of_the_dashboard_is_exported(title, query, legend, exported):
    asked = set(re.findall(r"\b[a-z_]+(?=\{)", query))
    assert asked and asked <= exported | OF_PROMETHEUS


def test_the_files_of_grafana_belong_together():
    (source,) = yaml.safe_load((PROVISIONING / "datasources" / "prometheus.yaml").read_text())["datasources"]
    (chosen,) = (v for v in DASHBOARD["templating"]["list"] if v["type"] == "datasource")
    assert source["uid"] == chosen["current"]["value"]
    assert source["url"] == "http://prometheus:9090" and "prometheus" in COMPOSE
    (provider,) = yaml.safe_load((PROVISIONING / "dashboards" / "pentimento.yaml").read_text())["providers"]
    mounted = [volume.split(":")[1] for volume in COMPOSE["grafana"]["volumes"]]
    assert provider["options"]["path"] in mounted
    home = COMPOSE["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert home == f"{provider['options']['path']}/pentimento.json"


def test_panels_do_not_overlap():
    taken = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken and max(x for x, _ in cells) < 24, panel["title"]
        taken |= cells


def test_prometheus_takes_its_configuration():
    subprocess.run([program("promtool"), "check", "config", str(CONFIG)], check=True, capture_output=True)


def test_what_is_scraped_are_the_servers_of_the_compose_file():
    (job,) = yaml.safe_load(CONFIG.read_text())["scrape_configs"]
    environments = {name: service.get("environment") or {} for name, service in COMPOSE.items()}
    servers = {name for name, values in environments.items() if "PENTIMENTO_WORKERS" in values}
    assert set(job["dns_sd_configs"][0]["names"]) == servers


@pytest.fixture(scope="module")
def prometheus(server, tmp_path_factory):
    """A function that asks a Prometheus, which scrapes the server by the container's configuration."""
    path = program("prometheus")
    config = yaml.safe_load(CONFIG.read_text())
    config["global"]["scrape_interval"] = "250ms"
    (job,) = config["scrape_configs"]
    del job["dns_sd_configs"]
    job["static_configs"] = [{"targets": [server.http.removeprefix("http://")]}]
    folder = tmp_path_factory.mktemp("prometheus")
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    address = f"127.0.0.1:{free_port()}"
    options = {"config.file": "prometheus.yml", "storage.tsdb.path": "data", "web.listen-address": address}
    command = [path, *(f"--{name}={value}" for name, value in options.items())]
    with subprocess.Popen(command, cwd=folder, stderr=subprocess.DEVNULL) as process:
        with httpx.Client(base_url=f"http://{address}", trust_env=False) as client:

            def ask(query):
                answer = client.get("/api/v1/query", params={"query": query}).json()
                assert answer["status"] == "success", f"{query}: {answer.get('error')}"
                return answer["data"]["result"]

            def up():
                try:
                    return bool(ask("up == 1"))
                except (httpx.HTTPError, ValueError):
                    return False

            try:
                assert wait_until(up, 20)
                with Client(server.http) as painter:  # a rate wants two values that differ
                    end = time.monotonic() + 1.5
                    while time.monotonic() < end:
                        with painter.stream(n=2, steps=4) as drawing:
                            assert len(list(drawing)) == 4
                yield ask
            finally:
                process.terminate()


@pytest.mark.parametrize(("title", "query", "legend"), QUERIES)
def test_a_query_of_the_dashboard_has_an_answer(title, query, legend, prometheus):
    series = prometheus(query.replace("$__rate_interval", "10s").replace("$instance", ".*"))
    assert series or title == "Cut short", "nothing was cut short here, but the rest was asked for"
    assert all(set(re.findall(r"\{\{(\w+)\}\}", legend)) <= set(one["metric"]) for one in series)

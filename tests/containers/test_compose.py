"""docker-compose.yml and the Dockerfiles, as far as they can be checked without an engine."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from pentimento.service.settings import Settings

ROOT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES = COMPOSE["services"]
SERVERS = [
    name for name, service in SERVICES.items() if "PENTIMENTO_WORKERS" in (service.get("environment") or {})
]
OF_THE_IMAGE = {"host", "http_port", "grpc_port", "bundles", "cache"}  # what a container has fixed
DOCKERFILES = {name: (ROOT / name).read_text() for name in ("Dockerfile", "Dockerfile.train")}
PAGE = (ROOT / "docs" / "deployment.md").read_text()


def test_the_file_is_valid():
    checked = subprocess.run(
        [
            str(Path(sys.executable).with_name("check-jsonschema")),
            *("--builtin-schema", "vendor.compose-spec"),
            str(ROOT / "docker-compose.yml"),
        ],
        capture_output=True,
        text=True,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_there_are_the_profiles_that_the_page_describes():
    profiles = {profile for service in SERVICES.values() for profile in service.get("profiles", [])}
    assert profiles == {"gpu", "observability", "proxy", "train"}
    assert profiles == set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)) - {"pentimento"}


@pytest.mark.parametrize("name", SERVERS)
def test_a_server_takes_every_setting_from_the_environment(name):
    named = {f"PENTIMENTO_{setting.upper()}" for setting in set(Settings.model_fields) - OF_THE_IMAGE}
    assert set(SERVICES[name]["environment"]) == named


@pytest.mark.parametrize("name", DOCKERFILES)
def test_what_an_image_sets_is_a_setting(name):
    settings = {f"PENTIMENTO_{setting.upper()}" for setting in Settings.model_fields}
    settings.add("PENTIMENTO_DATA")  # of the training commands
    assert set(re.findall(r"\bPENTIMENTO_\w+", DOCKERFILES[name])) <= settings


@pytest.mark.parametrize("name", SERVERS)
def test_a_server_is_killed_only_after_its_drain(name):
    (drain,) = re.findall(r":-(\d+)", SERVICES[name]["environment"]["PENTIMENTO_DRAIN_GRACE_S"])
    assert int(SERVICES[name]["stop_grace_period"].removesuffix("s")) > int(drain)


@pytest.mark.parametrize("name", SERVERS)
def test_a_server_has_limits_and_no_rights(name):
    server = SERVICES[name]
    assert server["read_only"] and server["init"]
    assert server["cap_drop"] == ["ALL"] and server["security_opt"] == ["no-new-privileges:true"]
    assert {"mem_limit", "cpus", "pids_limit"} <= set(server)
    assert all(volume.endswith(":ro") for volume in server["volumes"])


def test_ports_open_on_this_machine_alone_unless_asked():
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert ports and all(port.startswith(("127.0.0.1:", "${LISTEN:-127.0.0.1}:")) for port in ports)


def test_nothing_that_is_mounted_is_missing():
    for service in SERVICES.values():
        for volume in service.get("volumes", []):
            source = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", volume).split(":")[0]
            assert (ROOT / source).exists() if source.startswith(".") else source in COMPOSE["volumes"], (
                volume
            )


@pytest.mark.parametrize("name", DOCKERFILES)
def test_what_is_copied_is_there_and_sent_to_the_build(name):
    sent = [line.lstrip("!") for line in (ROOT / ".dockerignore").read_text().split() if line.startswith("!")]
    for line in re.findall(r"^COPY (?!--from)(.+)", DOCKERFILES[name], re.MULTILINE):
        lines = {line.replace("${RUNTIME}", runtime) for runtime in ("cpu", "gpu")}
        for source in {source for each in lines for source in shlex.split(each)[:-1]}:
            assert (ROOT / source).exists(), f"{name}: {source}"
            assert any(Path(source).match(pattern) for pattern in sent), f".dockerignore keeps {source} out"


def test_both_health_checks_are_one():
    (command,) = re.findall(r"^HEALTHCHECK .*\n\s+CMD (\[.*\])", DOCKERFILES["Dockerfile"], re.MULTILINE)
    for name in SERVERS:
        assert SERVICES[name]["healthcheck"]["test"] == ["CMD", *yaml.safe_load(command)]

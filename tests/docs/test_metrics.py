"""docs/metrics.md names every metric of the server with its labels, and no other."""

import re

import httpx

from tests.docs.snippets import ROOT

TEXT = (ROOT / "docs" / "metrics.md").read_text()
ROWS = {
    name: set(re.findall(r"`(\w+)`", labels))
    for name, labels in re.findall(r"^\| `(pentimento_\w+)` \|([^|]*)\|", TEXT, re.MULTILINE)
}


def test_the_table_is_whole(live):
    httpx.post(f"{live.http}/generate", params={"steps": 2}, headers={"accept": "text/event-stream"})
    found: dict[str, set[str]] = {}
    families = list(live.server.metrics.registry.collect())
    for family in families:
        if not family.name.startswith("pentimento_"):
            continue
        name = f"{family.name}_total" if family.type == "counter" else family.name
        found[name] = {label for sample in family.samples for label in sample.labels} - {"le"}
    assert set(ROWS) == set(found)
    for name, labels in found.items():
        assert not labels or ROWS[name] == labels, name
    others = {family.name for family in families if family.name.startswith("nv_")}
    assert others == set(re.findall(r"`(nv_\w+)`", TEXT))


def test_queries_name_metrics_that_exist():
    known = set(ROWS) | {f"{name}_{end}" for name in ROWS for end in ("bucket", "sum", "count")}
    assert set(re.findall(r"pentimento_\w+", TEXT)) <= known

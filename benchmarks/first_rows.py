"""When does a client see the first rows of a picture that is drawn row by row?

    python -m benchmarks.first_rows --model pixelvae-mnist

Over HTTP from a server in a process of its own, as NDJSON with one line a canvas. Shares are of the time
until the last line. Medians over interleaved rounds.
"""

import argparse
import json
import statistics
import time
from pathlib import Path

import httpx

from benchmarks.serving import served

ROUNDS = 15
CASES = [(steps, n) for n in (1, 32) for steps in (7, 14, 28)]


def draw(client, model, steps, n):
    """Seconds until each line was there."""
    started = time.perf_counter()
    times, kinds = [], []
    body = {"model": model, "steps": steps, "n": n, "seed": 1}
    headers = {"Accept": "application/x-ndjson"}
    with client.stream("POST", "/generate", json=body, headers=headers) as response:
        for line in response.iter_lines():
            times.append(time.perf_counter() - started)
            kinds.append(line)
    assert response.status_code == 200 and len(kinds) > steps, kinds
    json.loads(kinds[0])
    return times[0], times[steps - 1]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--model", default="pixelvae-mnist")
    parser.add_argument("--bundles", type=Path, default=Path("zoo"))
    arguments = parser.parse_args()
    results = {case: [] for case in CASES}
    with (
        served(arguments.bundles) as (address, _, _),
        httpx.Client(base_url=address, trust_env=False) as client,
    ):
        for _ in range(ROUNDS):
            for case in CASES:
                results[case].append(draw(client, arguments.model, *case))
    print("| canvases | n | first canvas, ms | last canvas, ms | first after |\n|---|---|---|---|---|")
    for (steps, n), times in results.items():
        first, last = (1000 * statistics.median(column) for column in zip(*times, strict=True))
        share = statistics.median(a / b for a, b in times)
        print(f"| {steps} | {n} | {first:.1f} | {last:.1f} | {share:.0%} |")


if __name__ == "__main__":
    main()

"""When does a client see the first rows of a picture that is drawn row by row?

    python -m benchmarks.first_rows --model pixelvae-mnist

Over HTTP from a server in a process of its own, as NDJSON with one line a canvas, read by the client of the
standard library on a connection that stays open. Shares are of the time
until the last line. Medians over interleaved rounds.
"""

import argparse
import http.client
import json
import statistics
import time
from pathlib import Path

from benchmarks.serving import served

ROUNDS = 31
CASES = [(steps, n) for n in (1, 32) for steps in (7, 14, 28)]


def draw(connection, model, steps, n):
    """Asks for one drawing; returns the seconds until its first and until its last canvas were read."""
    body = json.dumps({"model": model, "steps": steps, "n": n, "seed": 1})
    headers = {"Accept": "application/x-ndjson", "Content-Type": "application/json"}
    started = time.perf_counter()
    connection.request("POST", "/generate", body, headers)
    response = connection.getresponse()
    assert response.status == 200, response.read()
    times = []
    while line := response.readline():
        times.append((time.perf_counter() - started, line))
    assert len(times) == steps + 1 and b'"done"' in times[-1][1], times[-1]
    return times[0][0], times[steps - 1][0]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--model", default="pixelvae-mnist")
    parser.add_argument("--bundles", type=Path, default=Path("zoo"))
    arguments = parser.parse_args()
    results = {case: [] for case in CASES}
    with served(arguments.bundles) as (address, _, _):
        connection = http.client.HTTPConnection(address.removeprefix("http://"))
        for _ in range(ROUNDS):
            for case in CASES:
                results[case].append(draw(connection, arguments.model, *case))
    print("| canvases | n | first canvas, ms | last canvas, ms | first after |\n|---|---|---|---|---|")
    for (steps, n), times in results.items():
        first, last = (1000 * statistics.median(column) for column in zip(*times, strict=True))
        share = statistics.median(a / b for a, b in times)
        print(f"| {steps} | {n} | {first:.1f} | {last:.1f} | {share:.1%} |")


if __name__ == "__main__":
    main()

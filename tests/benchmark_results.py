"""Made-up results of `make bench`, whose ratios are known."""

from benchmarks.bench.cases import BESIDE, MEMORY, SHORT, case_name, group, limit_name
from benchmarks.bench.contenders import GRAN, ROWS
from benchmarks.bench.figures import Results


def a_round(rate, *, p50=10.0, p99=20.0, first=5.0, first_p99=10.0, canvases=5.0, cpu=1.0):
    """A second of a load with one group."""
    return {
        "wall_s": 1.0,
        "server_cpu_s": rate * cpu / 1000,
        "load_cpu_s": rate * 0.1 / 1000,
        "resident_mib": 100.0,
        "groups": [
            {
                "requests": rate,
                "canvases": canvases * rate,
                "requests_per_s": rate,
                "first_ms": {"p50": first, "p99": first_p99},
                "last_ms": {"p50": p50, "p99": p99},
                "failures": {},
            }
        ],
    }


def both(*rounds):
    """Loads of several groups out of loads of one."""
    return rounds[0] | {"groups": [one["groups"][0] for one in rounds]}


def a_loop(rate, graph_ms=0.8, png_ms=0.2):
    return {"drawings_per_s": rate, "graph_ms": graph_ms, "png_ms": png_ms}


def some_memory(mib):
    return {"processes": 3, "together_mib": mib, "resident_mib": mib + 100}


def made_up():
    """Results of three rounds whose ratios are known."""

    def name(contender, clients=32, **asked):
        return case_name(contender, [group(clients, **asked)])

    beside = {what: case_name("server", [SHORT, long]) for what, long in BESIDE.items()}
    return Results(
        {
            limit_name(GRAN, 1): [a_loop(500)] * 3,
            # The best batch by its median, though another one had the best round.
            limit_name(GRAN, 8): [a_loop(700), a_loop(2000), a_loop(700)],
            limit_name(GRAN, 32): [a_loop(1000), a_loop(1000), a_loop(500)],
            name("server"): [a_round(900, p99=40), a_round(800, p99=40), a_round(450, p99=40)],
            # Of requests per second the inline handler is the best by its median, of p99 the batching one.
            name("plain"): [a_round(600, p99=80), a_round(400, p99=80), a_round(300, p99=80)],
            name("batched"): [a_round(500, p99=50), a_round(400, p99=50), a_round(400, p99=32)],
            name("batched-workers"): [a_round(300, p99=90)] * 3,
            name("inline"): [a_round(500, p99=90), a_round(500, p99=90), a_round(300, p99=20)],
            name("server", 1): [a_round(100, p50=p50) for p50 in (1.9, 2.0, 2.1)],
            name("plain", 1): [a_round(100, p50=4.0)] * 3,
            name("batched", 1): [a_round(100, p50=4.0)] * 3,
            name("batched-workers", 1): [a_round(100, p50=4.0)] * 3,
            name("inline", 1): [a_round(100, p50=2.0)] * 3,
            name("server", 1, n=64): [a_round(rate) for rate in (14.53125, 14.0625, 7.8125)],
            name("server", n=64): [a_round(12.5), a_round(14.0625), a_round(7.8125)],
            name("server", form="ndjson"): [a_round(100, first=5.0, first_p99=8.0)] * 3,
            # One stream has the first canvas sooner as a rule, the other one has the lower p99.
            name("stream", form="ndjson"): [a_round(50, first=f, first_p99=20.0) for f in (11.0, 11.0, 5.0)],
            name("inline-stream", form="ndjson"): [
                a_round(50, first=f, first_p99=40.0) for f in (9.0, 10.0, 20.0)
            ],
            name("server", model=ROWS): [a_round(rate) for rate in (60, 55, 40)],
            name("plain", model=ROWS): [a_round(10)] * 3,
            name("inline", model=ROWS): [a_round(30)] * 3,  # better, and not what the aim is about
            MEMORY: [some_memory(mib) for mib in (350.0, 380.0, 390.0)],
            case_name("server", [SHORT]): [a_round(100, p50=2.0)] * 3,
            beside["8 drawings of 64 steps"]: [
                both(a_round(50, p50=p50), a_round(10, p50=64.0)) for p50 in (4.0, 5.0, 3.0)
            ],
        }
    )

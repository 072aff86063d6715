"""The plan of a drawing for fake graphs: `steps` calls of one graph on one tensor, each emitting it."""

from pentimento.service.engine.job import Call, Feed


def drawing(graph, steps):
    return tuple(
        Call(
            graph=graph,
            t=t,
            takes_t=True,
            feeds={"x": Feed("x")},
            keeps={"next.x": "x"},
            emits=("x",),
            step=t + 1,
        )
        for t in range(steps)
    )

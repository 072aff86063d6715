"""Turns a manifest's drawing, which is data, into a plan: the sequence of graph calls of one job."""

__all__ = ["Judge", "plan_drawing", "plan_encode", "plan_likelihood", "plan_score", "shown_calls"]

from collections.abc import Mapping
from dataclasses import dataclass

from pentimento.bundle.manifest import Manifest, NoiseSpec, state_name
from pentimento.service.engine.job import Call, Feed, Graph


@dataclass(frozen=True, kw_only=True, slots=True)
class Judge:
    """A scorer's graph, and the tensors of the job that it takes besides the image."""

    graph: Graph
    takes: tuple[str, ...] = ()
    takes_t: bool = False  # the index of the call that made the canvas


def shown_calls(calls: int, steps: int) -> dict[int, int]:
    """Which calls of a showing phase show a canvas.

    Args:
        calls: Calls of the phase.
        steps: Canvases to show, at most `calls`.

    Returns:
        0-based call -> 1-based shown step; the last call always shows, the parts are even to within one call.
    """
    return {-(-calls * step // steps) - 1: step for step in range(1, steps + 1)}


def plan_drawing(
    manifest: Manifest, graphs: Mapping[str, Graph], *, steps: int, judge: Judge | None = None
) -> tuple[Call, ...]:
    """Plans a drawing.

    Args:
        manifest: The bundle's manifest, which has a drawing.
        graphs: The bundle's loaded graphs.
        steps: Canvases to show.
        judge: Judges every shown canvas as it is, of this bundle or another; None for no scores.

    Returns:
        The calls in order. The job must hold the noise (and `label`) under its own names.
    """
    drawing = manifest.drawing
    if drawing is None:
        raise ValueError(f"bundle {manifest.name!r} has no drawing")
    noises = {noise.name: noise for noise in drawing.noise}
    leaves = ("canvas", *(output.name for output in drawing.outputs))
    plan: list[Call] = []
    for phase in drawing.phases:
        spec = manifest.graphs[phase.graph]
        calls = drawing.calls(phase, steps)
        shown = shown_calls(calls, steps) if phase.shows else {}
        inputs = [tensor.name for tensor in spec.inputs if tensor.name != "t"]
        states = {out.name: state_name(out.name) for out in spec.outputs if out.name.startswith("next.")}
        for t in range(calls):
            step = shown.get(t, 0)
            plan.append(
                Call(
                    graph=graphs[phase.graph],
                    t=t,
                    takes_t=spec.input("t") is not None,
                    feeds={name: _feed(name, noises, t) for name in inputs},
                    keeps=states | {name: name for name in leaves} if step else states,
                    emits=leaves if step and judge is None else (),
                    step=step,
                )
            )
            if step and judge is not None:
                plan.append(_judging(judge, "canvas", emits=(*leaves, "logit"), step=step, t=t))
    return tuple(plan)


def plan_encode(manifest: Manifest, graphs: Mapping[str, Graph]) -> tuple[Call, ...]:
    """Plans the encoding of given images: all that the encoder puts out leaves as step 0.

    The job must hold `image`, and `eps` and `label` where the graph takes them. The latents stay with the job
    under the names that a drawing takes them by, so that this plan and that of a drawing make an autoencoder.
    """
    spec = manifest.graphs["encode"]
    names = tuple(tensor.name for tensor in spec.outputs)
    feeds = {tensor.name: Feed(tensor.name) for tensor in spec.inputs}
    return (Call(graph=graphs["encode"], feeds=feeds, keeps={name: name for name in names}, emits=names),)


def plan_likelihood(
    manifest: Manifest, graphs: Mapping[str, Graph], *, samples: int, pixels: bool
) -> tuple[Call, ...]:
    """Plans `samples` calls of the likelihood graph; each emits its estimate, and the pixels' if asked for.

    The job must hold `image`, `eps` as (rows, samples, ...) where the graph takes it, and `label` likewise.
    """
    spec = manifest.graphs["likelihood"]
    names = ("log_likelihood", "pixel_log_likelihood") if pixels else ("log_likelihood",)
    return tuple(
        Call(
            graph=graphs["likelihood"],
            feeds={
                tensor.name: Feed(tensor.name, index=k if tensor.name == "eps" else None)
                for tensor in spec.inputs
            },
            keeps={name: name for name in names},
            emits=names,
            step=k + 1,
        )
        for k in range(samples)
    )


def plan_score(judge: Judge, *, t: int = 0) -> tuple[Call, ...]:
    """Plans the judging of given images; the job must hold them as `image`, and what else the judge takes.

    Args:
        judge: Of images, or of groups of them.
        t: Index of the call that would have made them, for a judge of steps.
    """
    return (_judging(judge, "image", emits=("logit",), step=1, t=t),)


def _judging(judge: Judge, source: str, *, emits: tuple[str, ...], step: int, t: int) -> Call:
    feeds = {"image": Feed(source), **{name: Feed(name) for name in judge.takes}}
    return Call(
        graph=judge.graph,
        t=t,
        takes_t=judge.takes_t,
        feeds=feeds,
        keeps={"logit": "logit"},
        emits=emits,
        step=step,
    )


def _feed(name: str, noises: Mapping[str, NoiseSpec], t: int) -> Feed:
    per_call = name in noises and noises[name].per == "call"
    return Feed(name, index=t if per_call else None)

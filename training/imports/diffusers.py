"""Makes a bundle of a diffusers pipeline with a U-Net in pixel space, and compares it with the pipeline.

A pipeline is a folder with `model_index.json`, a `UNet2DModel` and a scheduler. What a bundle does not say in
its contract is refused with the reason: networks that take text, latents of another network, schedulers whose
step is more than a function of state, step and noise.
"""

__all__ = ["ImportedPipeline", "import_pipeline", "read_pipeline"]

import json
import warnings
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from pentimento.bundle.manifest import (
    Drawing,
    ImageSpec,
    Labels,
    Manifest,
    NoiseSpec,
    Parity,
    Phase,
    Provenance,
    Steps,
)
from pentimento.bundle.store import refuse_to_replace, write_bundle
from pentimento.training.export.bundle import graph_entry
from pentimento.training.export.graphs import EXAMPLE_ROWS, Function, GraphModule
from pentimento.training.export.parity import BATCHES, TOLERANCE, Session, measure_parity
from pentimento.training.export.shared_weights import all_weights, export_graphs
from pentimento.training.export.version import choose_version
from pentimento.training.imports.schedules import Schedule, read_schedule

_INSTALL = "in a checkout of Pentimento: pip install -e '.[cpu,train,diffusers]'"
_PARITY_ROWS, _PARITY_SEED = 2, 7


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportedPipeline:
    """What a bundle is made of."""

    network: nn.Module  # a UNet2DModel, in inference mode
    scheduler: Any
    schedule: Schedule
    image: ImageSpec
    class_count: int  # K; 0 for a network that is told no class


def read_pipeline(folder: Path, max_steps: int) -> ImportedPipeline:
    """Reads network and scheduler, and refuses what cannot be expressed before anything is computed.

    Args:
        folder: Of a pipeline that diffusers saved.
        max_steps: Up to how many steps the bundle can draw.

    Raises:
        ValueError: The folder is no such pipeline, or a bundle cannot express it; the message says why.
    """
    try:
        import diffusers
    except ImportError as error:
        raise ValueError(f"diffusers is not installed; {_INSTALL}") from error

    index_file = folder / "model_index.json"
    if not index_file.is_file():
        raise ValueError(f"{folder} is no pipeline of diffusers: it has no model_index.json")
    try:
        index = json.loads(index_file.read_text())
        parts = {name: tuple(part) for name, part in index.items() if not name.startswith("_")}
    except (ValueError, AttributeError, TypeError) as error:
        raise ValueError(f"{index_file} is not the index of a pipeline") from error
    extra = sorted(set(parts) - {"unet", "scheduler"})
    if extra:
        raise ValueError(
            f"{folder} also has {', '.join(extra)}: only a U-Net in pixel space with a scheduler can be "
            "imported, as a bundle takes noise and a class, and puts out pixels"
        )
    for name, wanted in (("unet", "UNet2DModel"), ("scheduler", None)):
        if name not in parts:
            raise ValueError(f"{folder} has no {name}")
        if wanted is not None and parts[name][-1] != wanted:
            raise ValueError(f"the {name} of {folder} must be a {wanted}, got {parts[name][-1]}")
    kind = getattr(diffusers, str(parts["scheduler"][-1]), None)
    if kind is None:
        raise ValueError(f"diffusers {diffusers.__version__} has no scheduler {parts['scheduler'][-1]!r}")
    scheduler = kind.from_pretrained(folder / "scheduler")
    schedule = read_schedule(scheduler, max_steps)
    try:
        network = diffusers.UNet2DModel.from_pretrained(folder / "unet").float().eval()
    except OSError as error:
        raise ValueError(f"the weights in {folder / 'unet'} cannot be read: {error}") from error
    config = network.config
    if config.in_channels != config.out_channels or config.in_channels not in (1, 3):
        raise ValueError(
            f"the U-Net must put out the 1 or 3 channels that it takes, got {config.in_channels} and "
            f"{config.out_channels}"
        )
    if config.class_embed_type is not None:
        raise ValueError(
            f"class_embed_type must be none, a plain list of classes, got {config.class_embed_type!r}"
        )
    size = config.sample_size
    if size is None:
        raise ValueError("the U-Net does not say its sample_size, which is the size of the pictures")
    height, width = (size, size) if isinstance(size, int) else size
    return ImportedPipeline(
        network=network.requires_grad_(False),
        scheduler=scheduler,
        schedule=schedule,
        image=ImageSpec(channels=config.in_channels, height=height, width=width),
        class_count=config.num_class_embeds or 0,
    )


def import_pipeline(
    pipeline: ImportedPipeline,
    folder: Path,
    *,
    origin: str,
    default_steps: int,
    labels: tuple[str, ...] = (),
    bundle_version: str | None = None,
    overwrite: bool = False,
) -> tuple[Manifest, float]:
    """Exports a pipeline as a bundle, if it draws what the pipeline draws.

    Args:
        pipeline: From `read_pipeline`.
        folder: Where the bundle goes; its name is the bundle's.
        origin: What the pipeline is called, for the manifest.
        default_steps: Canvases where a request does not say.
        labels: Names of the classes; by default their numbers.
        bundle_version: Such as 1.0.0; None lets `choose_version` choose.
        overwrite: Replace a bundle that is there.

    Returns:
        The manifest, and the largest difference of finished pictures from the scheduler's loop, in [0, 1].

    Raises:
        ValueError: The labels do not fit, the default lies beyond the steps, or the pictures differ.
        BundleError: There is a bundle already.
        ParityError: The graphs differ from the network; nothing is written.
    """
    refuse_to_replace(folder, overwrite=overwrite)
    schedule, classes = pipeline.schedule, pipeline.class_count
    if not 1 <= default_steps <= schedule.max_steps:
        raise ValueError(f"steps must lie in 1..{schedule.max_steps}, got {default_steps}")
    if labels and len(labels) != classes:
        raise ValueError(f"labels must name the {classes} classes of the U-Net, got {len(labels)}")
    noise = [NoiseSpec(name="noise", shape=pipeline.image.shape)]
    if schedule.random:
        noise.append(NoiseSpec(name="fresh", shape=pipeline.image.shape, per="call"))
    drawing = Drawing(
        phases=(Phase(graph="init", calls=1), Phase(graph="step", calls="steps", shows=True)),
        steps=Steps(default=default_steps, min=1, max=schedule.max_steps, trained=default_steps),
        noise=tuple(noise),
    )
    graphs = export_graphs(_graphs(pipeline))
    entries = {name: graph_entry(name, graph) for name, graph in graphs.items()}
    blank = np.zeros((1, *pipeline.image.shape), dtype=np.float32)
    parity = measure_parity(graphs, entries, drawing, blank, classes)
    sessions = {name: Session(graph.data, graph.weights) for name, graph in graphs.items()}
    difference = max(_difference(pipeline, sessions, steps) for steps in {1, 3, default_steps})
    if difference > TOLERANCE:
        raise ValueError(
            f"pictures of the bundle differ from the pipeline's by {difference:.1e}, more than "
            f"{TOLERANCE:.0e}: nothing is written"
        )
    manifest = Manifest(
        name=folder.name,
        version=choose_version(folder, entries, bundle_version),
        family="diffusers",
        summary=f"{origin}, imported from diffusers: {type(pipeline.scheduler).__name__}.",
        image=pipeline.image,
        graphs=entries,
        drawing=drawing,
        labels=Labels(names=labels or tuple(map(str, range(classes)))) if classes else None,
        parity=Parity(
            batches=BATCHES,
            tolerance=TOLERANCE,
            torch_vs_onnxruntime=float(f"{parity.torch_vs_onnxruntime:.3g}"),
            batched_vs_single=float(f"{parity.batched_vs_single:.3g}"),
        ),
        provenance=Provenance(
            recipe="import diffusers",
            dataset="unknown",
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            libraries={name: version(name) for name in ("diffusers", "torch")},
            config={
                "unet": _plain(pipeline.network.config),
                "scheduler": {
                    "class": type(pipeline.scheduler).__name__,
                    **_plain(pipeline.scheduler.config),
                },
            },
            evaluation={"pipeline_difference": float(f"{difference:.3g}")},
        ),
    )
    contents = {name: graph.data for name, graph in graphs.items()}
    write_bundle(folder, manifest, contents, all_weights(graphs.values()), overwrite=overwrite)
    return manifest, difference


def _plain(config: Any) -> dict[str, Any]:  # noqa: ANN401
    """A configuration as JSON values, without diffusers' own entries, one of which is the folder's path."""
    values: dict[str, Any] = json.loads(json.dumps(dict(config), default=str))
    return {name: value for name, value in values.items() if not name.startswith("_")}


class _Pipeline(nn.Module):
    """The network with its tables, so that both are in the exported graph."""

    def __init__(self, pipeline: ImportedPipeline) -> None:
        super().__init__()
        self.network, self.schedule = pipeline.network, pipeline.schedule

    def step(
        self, state: Tensor, t: Tensor, steps: Tensor, fresh: Tensor | None, label: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """A step as `schedules.py` writes it: the canvas in [0, 1], and the state."""
        factor = {name: self.schedule.at(name, steps, t) for name in self.schedule.factors}
        time = factor["time"].flatten()
        said = self.network(factor["scale"] * state, time, class_labels=label, return_dict=False)[0]
        estimate = factor["a"] * state + factor["b"] * said
        if self.schedule.limit is not None:
            estimate = estimate.clamp(-self.schedule.limit, self.schedule.limit)
        following = factor["c"] * estimate + factor["d"] * state + factor["e"] * said
        if fresh is not None:
            following = following + factor["s"] * fresh
        last = (t + 1 >= steps)[:, None, None, None]
        return (torch.where(last, following, estimate) / 2 + 0.5).clamp(0, 1), following


def _graphs(pipeline: ImportedPipeline) -> dict[str, GraphModule]:
    module, schedule = _Pipeline(pipeline), pipeline.schedule
    shape = (EXAMPLE_ROWS, *pipeline.image.shape)
    counts = torch.ones(EXAMPLE_ROWS, dtype=torch.int64)
    inputs = {"state.picture": torch.randn(shape), "t": torch.zeros_like(counts), "steps": counts}
    if schedule.random:
        inputs["fresh"] = torch.randn(shape)
    if pipeline.class_count:
        inputs["label"] = torch.zeros_like(counts)
    names = list(inputs)

    def init(noise: Tensor, steps: Tensor) -> tuple[Tensor, ...]:
        return (noise * schedule.start[steps][:, None, None, None],)

    def step(*tensors: Tensor) -> tuple[Tensor, ...]:
        given = dict(zip(names, tensors, strict=True))
        asked = (given["state.picture"], given["t"], given["steps"])
        return module.step(*asked, given.get("fresh"), given.get("label"))

    return {
        "init": GraphModule(
            module=Function(module, init),
            inputs={"noise": torch.randn(shape), "steps": counts},
            outputs=("next.picture",),
        ),
        "step": GraphModule(module=Function(module, step), inputs=inputs, outputs=("canvas", "next.picture")),
    }


@torch.no_grad()
def _difference(pipeline: ImportedPipeline, sessions: dict[str, Session], steps: int) -> float:
    """How far finished pictures lie from those of the scheduler's own loop, from the same noise."""
    network, scheduler, rows = pipeline.network, pipeline.scheduler, _PARITY_ROWS
    generator = torch.Generator().manual_seed(_PARITY_SEED)
    noise = torch.randn(rows, *pipeline.image.shape, generator=generator)
    label = torch.arange(rows) % pipeline.class_count if pipeline.class_count else None
    with warnings.catch_warnings():  # see read_schedule
        warnings.simplefilter("ignore", DeprecationWarning)
        scheduler.set_timesteps(steps)
    own = torch.Generator().manual_seed(_PARITY_SEED + 1)  # the scheduler draws, and so does `fresh`
    state = noise * scheduler.init_noise_sigma
    for time in scheduler.timesteps:
        said = network(scheduler.scale_model_input(state, time), time, class_labels=label).sample
        state = scheduler.step(said, time, state, generator=own).prev_sample
    wanted = (state / 2 + 0.5).clamp(0, 1).numpy()

    again = torch.Generator().manual_seed(_PARITY_SEED + 1)
    feeds = {"noise": noise.numpy(), "steps": np.full(rows, steps)}
    feeds["state.picture"] = sessions["init"].run(feeds)["next.picture"]
    if label is not None:
        feeds["label"] = label.numpy()
    for t in range(steps):
        feeds["fresh"] = torch.randn(noise.shape, generator=again).numpy()
        answer = sessions["step"].run(feeds | {"t": np.full(rows, t)})
        feeds["state.picture"] = answer["next.picture"]
    return float(np.abs(answer["canvas"] - wanted).max())

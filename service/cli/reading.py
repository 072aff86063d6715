"""Commands that start from pictures: autoencode, complete, score, likelihood."""

__all__ = ["autoencode", "complete", "likelihood", "read_picture", "score"]

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from pentimento.program.console import make_console
from pentimento.program.tables import AsJson, print_json
from pentimento.service.cli.options import (
    Boxes,
    Bundles,
    FileFormat,
    Fit,
    FitOption,
    Label,
    Latents,
    Model,
    Output,
    Overwrite,
    Picture,
    Pictures,
    Scale,
    Score,
    ScoreBy,
    Seed,
    Set,
    Steps,
    controls_of,
)
from pentimento.service.cli.run import Server, asks_server, open_easel, run
from pentimento.service.messages import (
    AutoencodeRequest,
    CompleteRequest,
    ImageInput,
    LikelihoodRequest,
    ScoreRequest,
)


@asks_server
def autoencode(
    image: Picture,
    model: Model = None,
    samples: Annotated[int, typer.Option("--samples", "-n", help="Reconstructions to draw.")] = 1,
    steps: Steps = None,
    seed: Seed = None,
    label: Label = None,
    score: Score = False,
    score_by: ScoreBy = None,
    boxes: Boxes = False,
    chosen: Set = None,
    fit: FitOption = Fit.EXACT,
    output: Output = None,
    overwrite: Overwrite = False,
    file_format: FileFormat = None,
    scale: Scale = None,
    server: Server = None,
    bundles: Bundles = None,
) -> None:
    """Encodes a picture and draws it again, several times if asked; a film strip begins with the picture."""
    from pentimento.service.cli.draw import draw_to

    async def work() -> None:
        request = AutoencodeRequest(
            model=model,
            image=read_picture(image),
            samples=samples,
            fit=fit.value,
            steps=steps,
            seed=seed,
            label=label,
            score=score or None,
            score_by=score_by,
            boxes=boxes or None,
            controls=controls_of(chosen),
        )
        await draw_to(open_easel(server, bundles), request, output, file_format, scale, overwrite)

    run(work())


@asks_server
def complete(
    image: Picture,
    mask: Annotated[
        Path,
        typer.Argument(
            help="A black-and-white PNG: white pixels are kept, black ones drawn.",
            exists=True,
            dir_okay=False,
        ),
    ],
    model: Model = None,
    n: Annotated[int, typer.Option("--n", "-n", help="Completions to draw.")] = 1,
    steps: Steps = None,
    seed: Seed = None,
    label: Label = None,
    score: Score = False,
    score_by: ScoreBy = None,
    boxes: Boxes = False,
    chosen: Set = None,
    fit: FitOption = Fit.EXACT,
    output: Output = None,
    overwrite: Overwrite = False,
    file_format: FileFormat = None,
    scale: Scale = None,
    server: Server = None,
    bundles: Bundles = None,
) -> None:
    """Keeps the given pixels of a picture and draws the others, several times if asked."""
    from pentimento.service.cli.draw import draw_to

    async def work() -> None:
        request = CompleteRequest(
            model=model,
            image=read_picture(image),
            mask=read_picture(mask),
            n=n,
            fit=fit.value,
            steps=steps,
            seed=seed,
            label=label,
            score=score or None,
            score_by=score_by,
            boxes=boxes or None,
            controls=controls_of(chosen),
        )
        await draw_to(open_easel(server, bundles), request, output, file_format, scale, overwrite)

    run(work())


@asks_server
def score(
    images: Pictures,
    model: Model = None,
    label: Label = None,
    group: Annotated[
        bool,
        typer.Option("--group", help="Judge the pictures together: score i is about the first i of them."),
    ] = False,
    latents: Latents = None,
    fit: FitOption = Fit.EXACT,
    as_json: AsJson = False,
    server: Server = None,
    bundles: Bundles = None,
) -> None:
    """Asks a model's discriminator or critic for its opinion of pictures.

    A discriminator gives a logit and the probability of `real`; a critic a score without bounds, which can be
    compared only within one model. More is more real. Some judge a picture together with its latents, which
    --latents gives.
    """
    from pentimento.service.cli.latents import latents_of
    from pentimento.service.cli.tables import print_scores, scores_json, scores_title

    async def work() -> None:
        pictures = tuple(map(read_picture, images))
        request = ScoreRequest(model=model, images=pictures, fit=fit.value, label=label, group=group)
        async with open_easel(server, bundles) as easel:
            if latents is not None:
                given = latents_of(latents, model, (await easel.models())[0])
                request = replace(request, latents=given)
            result = await easel.score(request)
        names = [str(path) for path in images]
        if as_json:
            print_json(scores_json(names, result))
            return
        console = make_console()
        console.print(scores_title(result))
        print_scores(console, names, result)

    run(work())


@asks_server
def likelihood(
    images: Pictures,
    model: Model = None,
    importance_samples: Annotated[
        int,
        typer.Option("--importance-samples", "-k", help="Draws for each picture; more make a bound tighter."),
    ] = 1,
    seed: Seed = None,
    label: Label = None,
    fit: FitOption = Fit.EXACT,
    as_json: AsJson = False,
    server: Server = None,
    bundles: Bundles = None,
) -> None:
    """Asks how likely a model finds pictures, in nats and in bits per dimension."""
    from pentimento.service.cli.tables import likelihoods_json, likelihoods_title, print_likelihoods

    async def work() -> None:
        request = LikelihoodRequest(
            model=model,
            images=tuple(map(read_picture, images)),
            importance_samples=importance_samples,
            fit=fit.value,
            label=label,
            seed=seed,
        )
        async with open_easel(server, bundles) as easel:
            result = await easel.likelihood(request)
        names = [str(path) for path in images]
        if as_json:
            print_json(likelihoods_json(names, result))
            return
        console = make_console()
        console.print(likelihoods_title(result))
        print_likelihoods(console, names, result)

    run(work())


def read_picture(path: Path) -> ImageInput:
    """A picture file as requests have it; its bytes are looked at by whoever answers."""
    return ImageInput(data=path.read_bytes(), name=str(path))

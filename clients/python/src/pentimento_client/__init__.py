"""Client of Pentimento, the server of image generators that draw step by step."""

from pentimento_client.async_client import AsyncClient, AsyncFrameStream
from pentimento_client.client import Client, FrameStream
from pentimento_client.errors import Code, PentimentoError
from pentimento_client.messages import (
    Drawing,
    DrawOptions,
    Frame,
    Header,
    ScoreResult,
    Scores,
    Timing,
)
from pentimento_client.models import Latent, Model, Models, Refusal, StepRange
from pentimento_client.pixels import ImageLike, film_strip

__all__ = [
    "Client",
    "AsyncClient",
    "FrameStream",
    "AsyncFrameStream",
    "PentimentoError",
    "Code",
    "Drawing",
    "DrawOptions",
    "Frame",
    "Header",
    "ImageLike",
    "Latent",
    "Model",
    "Models",
    "Refusal",
    "ScoreResult",
    "Scores",
    "StepRange",
    "Timing",
    "film_strip",
]

"""Client of Pentimento, the server of image generators that draw step by step."""

from pentimento_client.async_client import AsyncClient, AsyncFrameStream
from pentimento_client.client import Client, FrameStream
from pentimento_client.connection import ConnectOptions
from pentimento_client.errors import Code, PentimentoError
from pentimento_client.messages import Drawing, Frame, Header, ScoredBy, Scores, Timing
from pentimento_client.models import (
    Control,
    FrameOutput,
    Latent,
    Model,
    Models,
    Refusal,
    Reload,
    Revision,
    StepRange,
)
from pentimento_client.pixels import ImageLike, film_strip
from pentimento_client.requests import (
    AutoencodeOptions,
    CompleteOptions,
    DrawOptions,
    LikelihoodOptions,
    ReadOptions,
)
from pentimento_client.results import EncodeResult, LikelihoodResult, ScoreResult
from pentimento_client.secrecy import UnencryptedWarning

__all__ = [
    "Client",
    "AsyncClient",
    "FrameStream",
    "AsyncFrameStream",
    "PentimentoError",
    "Code",
    "AutoencodeOptions",
    "CompleteOptions",
    "ConnectOptions",
    "Drawing",
    "DrawOptions",
    "EncodeResult",
    "Frame",
    "Control",
    "FrameOutput",
    "Header",
    "ImageLike",
    "Latent",
    "LikelihoodOptions",
    "LikelihoodResult",
    "Model",
    "Models",
    "ReadOptions",
    "Refusal",
    "Reload",
    "Revision",
    "ScoreResult",
    "ScoredBy",
    "Scores",
    "StepRange",
    "Timing",
    "UnencryptedWarning",
    "film_strip",
]

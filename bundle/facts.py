"""What a manifest says besides graphs and drawing: images, scorer, likelihood, labels, origin."""

__all__ = ["ImageSpec", "Labels", "Likelihood", "Paper", "Parity", "Provenance", "Scorer"]

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from pentimento.bundle.graphs import Part


class Paper(Part):
    """Where the model comes from."""

    title: str
    authors: str
    year: int
    arxiv: str | None = None


class ImageSpec(Part):
    """Shape of one image; values are float32 in [0, 1].

    `levels` says that the model's data take that many evenly spaced values. A model of 2 levels also says how
    its data were made black and white: `sample`, each pixel is 1 with its grey value as the probability;
    `threshold`, each pixel is 1 from 1/2 on. Pictures that are given to the model are treated likewise.
    """

    channels: Literal[1, 3]
    height: Annotated[int, Field(ge=1, le=1024)]
    width: Annotated[int, Field(ge=1, le=1024)]
    levels: Literal[2, 256] | None = None
    binarisation: Literal["sample", "threshold"] | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.levels == 2) != (self.binarisation is not None):
            raise ValueError("image.levels = 2 and image.binarisation come together")
        return self

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W)."""
        return (self.channels, self.height, self.width)


class Scorer(Part):
    """How to read the `score` graph's logit; either way more is more real.

    `discriminator`: the logit tells the probability of "real". `critic`: unbounded, comparable only within
    one bundle. A scorer of classes takes `label` besides `image`; one of pairs takes the noises that drew
    it, by their names, all of them also where a step is judged that has not used all; and `t`, the step.

    `group_size`: a further graph, `score_group`, judges so many images together, a group a row, and puts out
    a logit for each prefix of the group.

    `real_label` is a discriminator's target for data in its training, below 1 with one-sided label smoothing
    (Salimans et al., 2016, arXiv:1606.03498). The best discriminator then says sigmoid(logit) =
    real_label * p / (p + q), for densities p of data and q of drawings. So the probability of "real" is
    sigmoid(logit) / real_label, at most 1, and an image is as likely real as not at real_label / 2.
    """

    kind: Literal["discriminator", "critic"]
    group_size: Annotated[int, Field(ge=2, le=1024)] | None = None
    real_label: Annotated[float, Field(gt=0, le=1)] = 1.0

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.kind == "critic" and self.real_label != 1:
            raise ValueError(f"a critic has no labels: real_label must be 1, got {self.real_label}")
        return self


class Likelihood(Part):
    """How to read the `likelihood` graph's `log_likelihood`, in nats for the whole image.

    `exact`: log p(x). `bound`: log p(x, z) - log q(z | x) for the z that the input `eps` gives, so that its
    mean is the evidence lower bound, and the log-mean-exp over K draws the tighter importance-weighted bound
    (Burda et al., 2016, arXiv:1509.00519). `estimate`: a random estimate by `eps`, whose mean over K draws is
    the better the more they are; a request is told its standard error. The graph may also put out
    `pixel_log_likelihood (C, H, W)`.
    """

    kind: Literal["exact", "bound", "estimate"]


class Labels(Part):
    """Class labels of a conditional model: label i is called names[i]."""

    names: Annotated[tuple[str, ...], Field(min_length=1, max_length=100_000)]


class Parity(Part):
    """Measured at export: the largest difference over all outputs of a whole drawing, relative above 1."""

    batches: tuple[int, ...]
    torch_vs_onnxruntime: Annotated[float, Field(ge=0)]
    batched_vs_single: Annotated[float, Field(ge=0)]
    tolerance: Annotated[float, Field(gt=0)]


class Provenance(Part):
    """Where the weights come from. `evaluation` holds figures measured by the training package."""

    recipe: str
    dataset: str
    dataset_note: str | None = None  # how it differs from what everybody has under that name
    dataset_sha256: str | None = None
    seed: int | None = None
    epochs: float | None = None
    iterations: int | None = None
    train_seconds: float | None = None
    device: str | None = None
    created: str | None = None  # ISO 8601
    libraries: dict[str, str] = Field(default_factory=dict)
    config: dict[str, Any] = Field(default_factory=dict)
    evaluation: dict[str, Any] = Field(default_factory=dict)

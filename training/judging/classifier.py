"""Small classifiers of a data set, trained and cached by this package, that drawings are judged with.

The class shares of drawings, compared with the data's, show modes that were dropped; the confidence shows
drawings that belong to no class. Both are figures relative to the classifier. There are two: `Classifier`
also chooses which epoch of a training is kept, and what is chosen by a figure looks better in it than it is.
So `ReportingClassifier`, another network trained otherwise, chooses nothing and only reports.
"""

__all__ = ["Classifier", "ReportingClassifier", "hash_of_images", "load_classifier", "train_classifier"]

import hashlib
import os
import pickle
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor, nn

from pentimento.training.data.datasets import Dataset, cache_folder

_BATCH_ROWS = 100


class Classifier(nn.Module):
    """Two strided convolutions and two dense layers; square images of either number of channels.

    Attributes:
        test_accuracy: Share of the data set's test images that it classifies rightly, in 0..1.
        test_confidence: Mean probability of its most likely class on test images, in 0..1.
    """

    kind: ClassVar[str] = "choosing"  # in the cache's file name, with the version
    version: ClassVar[int] = 2  # raise it when the network or its training changes
    epochs: ClassVar[int] = 4
    min_iterations: ClassVar[int] = 240  # for small data sets
    seed: ClassVar[int] = 0
    label_smoothing: ClassVar[float] = 0.0

    def __init__(self, channels: int, image_size: int, classes: int) -> None:
        super().__init__()
        self.layers = self.build(channels, image_size, classes)
        self.test_accuracy: float = 0.0
        self.test_confidence: float = 0.0

    @staticmethod
    def build(channels: int, image_size: int, classes: int) -> nn.Sequential:
        """The network: image (B, C, H, W) -> logits (B, classes)."""
        side = -(-image_size // 4)
        return nn.Sequential(
            nn.Conv2d(channels, 32, 5, stride=2, padding=2),
            nn.BatchNorm2d(32),
            nn.ReLU(),
            nn.Conv2d(32, 64, 5, stride=2, padding=2),
            nn.BatchNorm2d(64),
            nn.ReLU(),
            nn.Flatten(),
            nn.Dropout(0.5),
            nn.Linear(64 * side * side, 128),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Linear(128, classes),
        )

    def forward(self, image: Tensor) -> Tensor:
        """Image in [0, 1], shape (B, C, H, W) -> logits, shape (B, classes)."""
        return self.layers(image)

    @torch.no_grad()
    def features(self, images: Tensor) -> Tensor:
        """What its last layer classifies by, shape (N, F), on the CPU; in chunks and in inference mode."""
        self.eval()
        device = next(self.parameters()).device
        body = self.layers[:-1]
        return torch.cat([body(chunk.to(device)).cpu() for chunk in images.split(500)])

    @torch.no_grad()
    def probabilities(self, images: Tensor) -> Tensor:
        """Class probabilities, shape (N, classes), on the CPU; computed in chunks and in inference mode."""
        self.eval()
        device = next(self.parameters()).device
        return torch.cat([self(chunk.to(device)).softmax(1).cpu() for chunk in images.split(500)])


class ReportingClassifier(Classifier):
    """Five convolutions and a mean over places, without a dense layer or dropout, trained on smoothed labels.

    Smoothing keeps it from being sure of everything: on good images its confidence is near 0.95, not 1.
    """

    kind = "reporting"
    version = 1
    epochs = 5
    min_iterations = 80
    seed = 17
    label_smoothing = 0.05

    @staticmethod
    def build(channels: int, image_size: int, classes: int) -> nn.Sequential:
        """The network: image (B, C, H, W) -> logits (B, classes)."""
        widths = (16, 32, 32, 64, 64)
        strides = (1, 2, 1, 2, 1)
        layers: list[nn.Module] = []
        before = channels
        for width, stride in zip(widths, strides, strict=True):
            convolution = nn.Conv2d(before, width, 3, stride=stride, padding=1, bias=False)
            layers += [convolution, nn.BatchNorm2d(width), nn.SiLU()]
            before = width
        return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(before, classes))


def load_classifier(
    dataset: Dataset, device: torch.device, cache: Path | None = None, kind: type[Classifier] = Classifier
) -> Classifier:
    """A classifier of a data set: read from the cache, or trained and written there.

    Args:
        dataset: What it is trained and tested on.
        device: Where it computes.
        cache: Folder of the cache, by default the package's own.
        kind: Which of the two.

    Raises:
        ValueError: The file in the cache is damaged.
    """
    folder = (cache or cache_folder()) / "classifiers"
    path = folder / f"{dataset.name}-{hash_of_images(dataset)}-{kind.kind}-v{kind.version}.pt"
    if path.is_file():
        try:
            saved = torch.load(path, map_location=device, weights_only=True)
            classifier = _build(kind, dataset).to(device)
            classifier.load_state_dict(saved["weights"])
        except (RuntimeError, EOFError, KeyError, pickle.UnpicklingError) as error:
            raise ValueError(f"the classifier in the cache, {path}, is damaged: remove it") from error
        classifier.test_accuracy = saved["test_accuracy"]
        classifier.test_confidence = saved["test_confidence"]
        return classifier.eval()
    classifier = train_classifier(dataset, device, kind)
    folder.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".{os.getpid()}.part")
    torch.save(
        {
            "weights": classifier.state_dict(),
            "test_accuracy": classifier.test_accuracy,
            "test_confidence": classifier.test_confidence,
        },
        partial,
    )
    partial.replace(path)
    return classifier


def hash_of_images(dataset: Dataset) -> str:
    """Sixteen hex digits of training and test images: the figures beside its weights are of the latter."""
    digest = hashlib.sha256(dataset.sha256.encode())
    for array in (dataset.test.images, dataset.test.labels):
        digest.update(array.tobytes())
    return digest.hexdigest()[:16]


def _build(kind: type[Classifier], dataset: Dataset) -> Classifier:
    channels, image_size = dataset.train.images.shape[1:3]
    return kind(channels, image_size, len(dataset.class_names))


def train_classifier(
    dataset: Dataset, device: torch.device, kind: type[Classifier] = Classifier
) -> Classifier:
    """Trains a classifier and measures it on the test images; torch's random state stays as it was."""
    images = torch.from_numpy(dataset.train.images)
    labels = torch.from_numpy(dataset.train.labels)
    rows = min(_BATCH_ROWS, len(images))
    epoch_iterations = len(images) // rows
    epochs = max(kind.epochs, -(-kind.min_iterations // epoch_iterations))
    with torch.random.fork_rng():
        torch.manual_seed(kind.seed)
        classifier = _build(kind, dataset).to(device).train()
        optimizer = torch.optim.Adam(classifier.parameters(), lr=1e-3)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs * epoch_iterations)
        for _ in range(epochs):
            order = torch.randperm(len(images))
            for batch in order[: epoch_iterations * rows].split(rows):
                logits = classifier(images[batch].to(device).float() / 255)
                loss = nn.functional.cross_entropy(
                    logits, labels[batch].to(device), label_smoothing=kind.label_smoothing
                )
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
    probabilities = classifier.probabilities(torch.from_numpy(dataset.test.images).float() / 255)
    hits = probabilities.argmax(1) == torch.from_numpy(dataset.test.labels)
    classifier.test_accuracy = float(hits.float().mean())
    classifier.test_confidence = float(probabilities.max(1).values.mean())
    return classifier.eval()

"""A small classifier of a data set, trained and cached by this package, that drawings are judged with.

The class shares of drawings, compared with the data's, show modes that were dropped; its confidence shows
drawings that belong to no class. Both are figures relative to this classifier.
"""

__all__ = ["Classifier", "load_classifier", "train_classifier"]

import os
from pathlib import Path

import torch
from torch import Tensor, nn

from pentimento.training.data.datasets import Dataset, cache_folder

_EPOCHS = 4
_MIN_ITERATIONS = 240  # for small data sets
_BATCH_ROWS = 100
_VERSION = 1  # part of the cache's file name: raise it when anything below changes


class Classifier(nn.Module):
    """Two strided convolutions and two dense layers; square images of either number of channels.

    Attributes:
        test_accuracy: Share of the data set's test images that it classifies rightly, in 0..1.
        test_confidence: Mean probability of its most likely class on test images, in 0..1.
    """

    def __init__(self, channels: int, image_size: int, classes: int) -> None:
        super().__init__()
        side = -(-image_size // 4)
        self.layers = nn.Sequential(
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
        self.test_accuracy: float = 0.0
        self.test_confidence: float = 0.0

    def forward(self, image: Tensor) -> Tensor:
        """Image in [0, 1], shape (B, C, H, W) -> logits, shape (B, classes)."""
        return self.layers(image)

    @torch.no_grad()
    def probabilities(self, images: Tensor) -> Tensor:
        """Class probabilities, shape (N, classes), on the CPU; computed in chunks and in inference mode."""
        self.eval()
        device = next(self.parameters()).device
        return torch.cat([self(chunk.to(device)).softmax(1).cpu() for chunk in images.split(500)])


def load_classifier(dataset: Dataset, device: torch.device, cache: Path | None = None) -> Classifier:
    """The classifier of a data set: read from the cache, or trained and written there.

    Args:
        dataset: What it is trained and tested on.
        device: Where it computes.
        cache: Folder of the cache, by default the package's own.
    """
    folder = (cache or cache_folder()) / "classifiers"
    path = folder / f"{dataset.name}-{dataset.sha256[:16]}-v{_VERSION}.pt"
    if path.is_file():
        saved = torch.load(path, map_location=device, weights_only=True)
        classifier = _build(dataset).to(device)
        classifier.load_state_dict(saved["weights"])
        classifier.test_accuracy = saved["test_accuracy"]
        classifier.test_confidence = saved["test_confidence"]
        return classifier.eval()
    classifier = train_classifier(dataset, device)
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


def _build(dataset: Dataset) -> Classifier:
    channels, image_size = dataset.train.images.shape[1:3]
    return Classifier(channels, image_size, len(dataset.class_names))


def train_classifier(dataset: Dataset, device: torch.device, seed: int = 0) -> Classifier:
    """Trains a classifier and measures it on the test images; torch's random state stays as it was."""
    images = torch.from_numpy(dataset.train.images)
    labels = torch.from_numpy(dataset.train.labels)
    rows = min(_BATCH_ROWS, len(images))
    epoch_iterations = len(images) // rows
    epochs = max(_EPOCHS, -(-_MIN_ITERATIONS // epoch_iterations))
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        classifier = _build(dataset).to(device).train()
        optimizer = torch.optim.Adam(classifier.parameters(), lr=1e-3)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs * epoch_iterations)
        for _ in range(epochs):
            order = torch.randperm(len(images))
            for batch in order[: epoch_iterations * rows].split(rows):
                logits = classifier(images[batch].to(device).float() / 255)
                loss = nn.functional.cross_entropy(logits, labels[batch].to(device))
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
    probabilities = classifier.probabilities(torch.from_numpy(dataset.test.images).float() / 255)
    hits = probabilities.argmax(1) == torch.from_numpy(dataset.test.labels)
    classifier.test_accuracy = float(hits.float().mean())
    classifier.test_confidence = float(probabilities.max(1).values.mean())
    return classifier.eval()

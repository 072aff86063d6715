"""A training of some seconds, for a process of its own so that tests can kill it."""

import os
import signal
from pathlib import Path

import torch

from pentimento.models.recurrent.gran import GRANConfig
from pentimento.training.data.datasets import load_dataset
from pentimento.training.families.recurrent import family
from pentimento.training.families.recurrent.config import RecurrentConfig
from pentimento.training.judging.classifier import Classifier
from tests.slice import SLICE
from tests.training.trainings import train

SMALL = RecurrentConfig(
    recipe="small",
    model=GRANConfig(widths=(8, 4), latent_dim=6, step_count=2),
    dataset=str(SLICE),
    epochs=3,
    batch_rows=30,
    decay_from=0.3,
    log_iterations=4,
    checkpoint_iterations=7,  # at other times than the log's lines and the epochs
    sheet_iterations=15,
    evaluation_rows=60,
    statistics_rows=60,
)


def train_small(folder: Path, resume: bool = False, die_in: int | None = None) -> None:
    """Trains, in a process of its own that is killed after so many iterations, if at all."""
    torch.set_num_threads(1)  # several would only wait for each other
    dataset = load_dataset(SMALL.dataset, channels=1, image_size=28)
    torch.manual_seed(0)
    classifier = Classifier(1, 28, 10).eval()
    torch.rand(os.getpid() % 7)  # what was drawn before must not matter
    play, done = family.play, 0

    def deadly_play(*args):
        nonlocal done
        figures = play(*args)
        done += 1
        if done == die_in:
            os.kill(os.getpid(), signal.SIGKILL)
        return figures

    family.play = deadly_play
    options = {"device": torch.device("cpu"), "precision": "float32", "resume": resume}
    train(SMALL, dataset, classifier, folder, **options)

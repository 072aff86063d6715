"""The slice of MNIST that the tests train on, and a classifier of it that is trained once for all of them."""

__all__ = ["SLICE", "cache_with_classifier"]

import fcntl
import shutil
from pathlib import Path

SLICE = Path(__file__).parent / "data" / "mnist-slice"


def cache_with_classifier(folder: Path) -> Path:
    """A user's cache folder in which both classifiers of the slice are; whoever comes first trains them.

    Args:
        folder: That all processes of this run of the tests have in common.
    """
    import torch  # not by all who ask where the slice is

    from pentimento.training.data.datasets import load_dataset
    from pentimento.training.judging.classifier import Classifier, ReportingClassifier, load_classifier

    cache = folder / "cache"
    dataset = load_dataset(str(SLICE), channels=1, image_size=28)
    with (folder / "cache.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for kind in (Classifier, ReportingClassifier):
            load_classifier(dataset, torch.device("cpu"), cache / "pentimento", kind)
        # The documents call it MNIST; the file's name begins with that of the data set.
        for file in (cache / "pentimento" / "classifiers").glob(f"{dataset.name}-*"):
            shutil.copy(file, file.with_name(file.name.replace(dataset.name, "mnist", 1)))
    return cache

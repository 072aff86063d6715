"""The figures of drawings, worked out by hand for made-up ones."""

import math

import pytest
import torch

from pentimento.training.judging.classifier import Classifier, load_classifier
from pentimento.training.judging.evaluation import figures, summarise
from pentimento.training.judging.novelty import measure_novelty

CPU = torch.device("cpu")


class Told(Classifier):
    """Classifies by the top left pixel: 0 is class 0, 1 is class 1; as sure as the next pixel says."""

    def __init__(self):
        super().__init__(1, 28, 10)

    def probabilities(self, images):
        chosen, sure = images[:, 0, 0, 0].long(), images[:, 0, 0, 1]
        result = ((1 - sure) / 9)[:, None].repeat(1, 10)
        result[torch.arange(len(images)), chosen] = sure
        return result


def test_figures_by_hand(dataset):
    canvases = torch.zeros(4, 2, 1, 28, 28)  # four drawings of two steps
    canvases[:, 0] = 0.25
    canvases[3, 1, 0, 0, 0] = 1.0
    canvases[:, 1, 0, 0, 1] = torch.tensor([0.5, 0.75, 1.0, 0.75])
    judged = summarise(iter([canvases[:3], canvases[3:]]), Told(), dataset)
    assert judged.rows == 4 and judged.step_count == 2
    assert judged.class_shares == [0.75, 0.25] + [0.0] * 8
    assert judged.kl_to_data == pytest.approx(0.75 * math.log(7.5) + 0.25 * math.log(2.5), abs=1e-5)
    assert judged.confidence == pytest.approx(0.75)
    assert judged.canvas_means == pytest.approx([0.25, 1.0 / 784], abs=1e-5)
    assert judged.canvas_deviations[0] == 0
    assert judged.step_changes[0] == pytest.approx(0.25)  # from mid-grey
    assert judged.step_changes[1] == pytest.approx(0.25, abs=2e-3)
    assert judged.cost == pytest.approx(judged.kl_to_data + 0.25)


def test_novelty_tells_copies_from_others(dataset):
    train = torch.from_numpy(dataset.train.images).float() / 255
    assert measure_novelty(train[:50], dataset).copied_share == 1.0
    noise = measure_novelty(torch.rand(50, 1, 28, 28), dataset)
    assert noise.copied_share == 0.0 and noise.drawn_median > noise.test_median


def test_figures_for_a_manifest_name_the_classes(dataset, classifier):
    found = figures(iter([torch.rand(20, 2, 1, 28, 28)]), classifier, dataset, seed=9)
    assert list(found["class_shares"]) == list("0123456789")
    assert found["seed"] == 9 and set(found["novelty"]) == {"drawn_median", "test_median", "copied_share"}


def test_the_classifier_learns_and_is_cached(dataset, shared_cache, monkeypatch):
    classifier = load_classifier(dataset, CPU, shared_cache / "pentimento")
    assert classifier.test_accuracy > 0.8  # from 300 images
    monkeypatch.setattr(
        "pentimento.training.judging.classifier.train_classifier", None
    )  # a second training would fail
    again = load_classifier(dataset, CPU, shared_cache / "pentimento")
    images = torch.from_numpy(dataset.test.images).float() / 255
    assert torch.equal(classifier.probabilities(images), again.probabilities(images))
    assert again.test_accuracy == classifier.test_accuracy

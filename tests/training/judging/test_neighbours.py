"""The training images nearest to drawings, and their sheet."""

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.neighbors import NearestNeighbors

from pentimento.training.judging.latent_neighbours import latent_neighbour_error
from pentimento.training.judging.neighbours import nearest_images, save_neighbours


def test_neighbours_are_scikit_learns():
    draw = np.random.default_rng(0)
    train, images = (draw.random((n, 12)).astype(np.float32) for n in (300, 130))
    found = nearest_images(torch.from_numpy(images), torch.from_numpy(train), 4)
    distances, indices = NearestNeighbors(n_neighbors=4, algorithm="brute").fit(train).kneighbors(images)
    assert (found.indices.numpy() == indices).all()
    assert found.distances.numpy() == pytest.approx(distances, abs=1e-3)


def test_the_sheet_has_a_drawing_first_and_its_original_next(dataset, tmp_path):
    copied = torch.from_numpy(dataset.train.images[[7, 3]]).float() / 255
    found = save_neighbours(tmp_path / "a" / "sheet.png", copied, dataset.train.images, count=3)
    assert found.indices[:, 0].tolist() == [7, 3]
    sheet = np.asarray(Image.open(tmp_path / "a" / "sheet.png"))
    assert sheet.shape == (2 * 58 + 2, 4 * 58 + 2)
    row = [sheet[2:58, 2 + 58 * column : 58 * (column + 1)] for column in range(4)]
    assert (row[0] == row[1]).all() and (row[0] != row[2]).any()
    assert (row[0][::2, ::2] == dataset.train.images[7, 0]).all()


def test_a_sheet_of_other_images_is_refused(dataset, tmp_path):
    with pytest.raises(ValueError, match=r"training images' shape \(1, 28, 28\), got \(3, 28, 28\)"):
        save_neighbours(tmp_path / "sheet.png", torch.zeros(1, 3, 28, 28), dataset.train.images)
    with pytest.raises(ValueError, match=r"count must be 1\.\.4, got 5"):
        nearest_images(torch.zeros(2, 3), torch.zeros(4, 3), 5)


def test_classes_that_lie_apart_in_a_latent_are_told():
    draw = np.random.default_rng(1)
    labels = np.arange(400) % 4
    apart = 5.0 * np.stack([labels % 2, labels // 2], 1) + draw.standard_normal((400, 2))
    found = latent_neighbour_error(apart, labels, apart + 0.1, labels, space="aa")
    assert found.value < 0.05 and found.low < found.value < found.high
    assert (found.rows, found.data_rows, found.space) == (400, 400, "aa")
    assert found.settings == {"neighbours": 5, "latent_size": 2}
    mixed = latent_neighbour_error(apart[:200], labels[:200], apart, draw.permutation(labels), space="aa")
    assert mixed.low < 0.75 < mixed.high


def test_encodings_without_labels_are_refused():
    known, labels = np.zeros((5, 2)), np.zeros(5, int)
    with pytest.raises(ValueError, match="a label for each of 5 and 5 encodings, got 5 and 4"):
        latent_neighbour_error(known, labels, known, labels[:4], space="aa")
    with pytest.raises(ValueError, match=r"encodings of one size, of both kinds, got \(5, 2\) and \(5, 3\)"):
        latent_neighbour_error(known, labels, np.zeros((5, 3)), labels, space="aa")
    with pytest.raises(ValueError, match="neighbours must be at least 1, got 0"):
        latent_neighbour_error(known, labels, known, labels, space="aa", neighbours=0)

"""Damaged IDX files and CIFAR batches are named; labels without a class, and no pictures, are refused."""

import shutil

import numpy as np
import pytest

from pentimento.training.data.datasets import DatasetError
from pentimento.training.data.idx import IDX_FILES, write_idx
from tests.training.conftest import SLICE
from tests.training.data.folders import load, write


@pytest.fixture
def digits(tmp_path):
    return shutil.copytree(SLICE, tmp_path / "digits")


@pytest.mark.parametrize(
    "spoil",
    [lambda data: b"not packed", lambda data: data[:50], lambda data: data[:20] + bytes(20) + data[40:]],
    ids=["not gzip", "cut", "damaged"],
)
def test_a_damaged_file_is_named(digits, spoil):
    file = digits / f"{IDX_FILES['train_images']}.gz"
    file.write_bytes(spoil(file.read_bytes()))
    with pytest.raises(DatasetError, match=r"digits/train-images-idx3-ubyte\.gz is cut or damaged: "):
        load(digits)


def test_no_training_pictures(digits):
    write_idx(digits / f"{IDX_FILES['train_images']}.gz", np.zeros((0, 28, 28), dtype=np.uint8))
    write_idx(digits / f"{IDX_FILES['train_labels']}.gz", np.zeros(0, dtype=np.uint8))
    with pytest.raises(DatasetError, match="digits has no training pictures; there must be some of both"):
        load(digits)


def test_a_test_label_that_no_training_picture_has(digits):
    write_idx(digits / f"{IDX_FILES['test_labels']}.gz", np.full(100, 12, dtype=np.uint8))
    with pytest.raises(DatasetError, match=r"digits has test labels of 12\.\.12, but 10 classes"):
        load(digits)


def test_a_cut_batch_of_cifar_is_named(tmp_path):
    batch = bytes(3073 * 2)
    files = {"data_batch_1.bin": batch, "data_batch_2.bin": batch[:-1], "test_batch.bin": batch}
    write(tmp_path / "cifar10" / "cifar-10-batches-bin", files)
    with pytest.raises(DatasetError, match=r"data_batch_2\.bin has 6145 bytes, which is no multiple of 3073"):
        load("cifar10", folder=tmp_path, channels=3, image_size=32)

"""Finding, fetching and reading data sets, and a sentence for every way it can fail."""

import gzip
import hashlib
import io
import shutil
import tarfile
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

import pentimento.training.data.datasets as datasets
from pentimento.training.data.datasets import DatasetError, find_dataset, load_dataset
from pentimento.training.data.idx import IDX_FILES, find_idx, read_idx, write_idx
from tests.training.conftest import SLICE


@pytest.fixture
def nowhere(monkeypatch):
    """No system place holds anything."""
    for name, source in datasets.SOURCES.items():
        monkeypatch.setitem(datasets.SOURCES, name, replace(source, system=()))


def load(name, tmp_path, **options):
    options = {"channels": 1, "image_size": 28, "cache": tmp_path / "cache"} | options
    return load_dataset(name, **options)


def no_net(address):
    raise OSError("no network")


def test_the_slice(dataset):
    assert dataset.train.images.shape == (300, 1, 28, 28) and dataset.test.images.shape == (100, 1, 28, 28)
    assert dataset.class_names == tuple("0123456789")
    assert dataset.class_shares.tolist() == [0.1] * 10
    assert dataset.sha256 == "fd40c2fbfbe431179e031cbeae070472fe6fad1b919b4978048d1b4b4dc46279"


def test_a_named_set_is_found_in_the_users_folder_then_the_cache_then_the_system(
    tmp_path, nowhere, monkeypatch
):
    system, cache, mine = tmp_path / "system", tmp_path / "cache", tmp_path / "mine"
    mine.mkdir()
    assert find_dataset("mnist", mine, cache) is None
    shutil.copytree(SLICE, system)
    monkeypatch.setitem(datasets.SOURCES, "mnist", replace(datasets.SOURCES["mnist"], system=(str(system),)))
    assert find_dataset("mnist", mine, cache) == system
    shutil.copytree(SLICE, cache / "datasets" / "mnist")
    assert find_dataset("mnist", mine, cache) == cache / "datasets" / "mnist"
    shutil.copytree(SLICE, mine / "MNIST" / "raw")
    assert find_dataset("mnist", mine, cache) == mine / "MNIST" / "raw"
    assert load("mnist", tmp_path, folder=mine).name == "mnist"


def test_unpacked_files_are_read_too(tmp_path, dataset):
    for packed in SLICE.glob("*.gz"):
        (tmp_path / packed.stem).write_bytes(gzip.decompress(packed.read_bytes()))
    assert load(str(tmp_path), tmp_path).sha256 == dataset.sha256


def test_a_download_is_checked_and_kept(tmp_path, nowhere, monkeypatch, dataset):
    files = {path.name: path.read_bytes() for path in SLICE.glob("*.gz")}
    md5 = {
        name.removesuffix(".gz"): hashlib.md5(gzip.decompress(data)).hexdigest()
        for name, data in files.items()
    }
    monkeypatch.setitem(datasets.SOURCES, "mnist", replace(datasets.SOURCES["mnist"], md5=md5))
    asked = []

    def fetch(address):
        asked.append(address)
        if "ossci" in address:
            return gzip.compress(b"something else")  # the first mirror is broken, the second is not
        return files[address.rsplit("/", 1)[1]]

    assert load("mnist", tmp_path, fetch=fetch).sha256 == dataset.sha256
    assert len(asked) == 8
    assert load("mnist", tmp_path, fetch=no_net).sha256 == dataset.sha256  # from the cache


def test_a_set_that_cannot_be_had_is_told_in_one_sentence(tmp_path, nowhere):
    with pytest.raises(DatasetError) as failure:
        load("mnist", tmp_path, fetch=no_net)
    sentence = str(failure.value)
    assert "no network" in sentence and "train-images-idx3-ubyte.gz" in sentence
    assert "into a folder mnist/" in sentence and "--data or PENTIMENTO_DATA" in sentence
    with pytest.raises(DatasetError, match="wrong checksum"):
        load("fashion-mnist", tmp_path, fetch=lambda address: gzip.compress(b"other"))
    with pytest.raises(DatasetError, match=r"put cifar-10-binary\.tar\.gz below a folder"):
        load("cifar10", tmp_path, fetch=no_net, channels=3, image_size=32)
    assert not (tmp_path / "cache").exists()


def test_wrong_folders_names_and_sizes(tmp_path):
    with pytest.raises(DatasetError, match=r"the data folder .*/none does not exist"):
        load("mnist", tmp_path, folder=tmp_path / "none")
    with pytest.raises(
        DatasetError, match=r"'mnits' is neither a known data set \(mnist, .*\) nor an existing"
    ):
        load("mnits", tmp_path)
    with pytest.raises(DatasetError, match=r"images of shape \(1, 28, 28\), but \(3, 32, 32\) was asked for"):
        load(str(SLICE), tmp_path, channels=3, image_size=32)
    with pytest.raises(DatasetError, match="holds no pictures"):
        load(str(tmp_path), tmp_path)
    (tmp_path / "mnist").mkdir()
    (tmp_path / "mnist" / "notes.txt").write_text("to do")
    with pytest.raises(DatasetError, match="mnist must hold train-images-idx3-ubyte"):
        load("mnist", tmp_path, folder=tmp_path)


def png(array):
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture
def pictures():
    """An image folder as bytes by path: two classes, 33x32 and 32x32 pixels, of one colour each."""
    colors = {"cat": (255, 0, 0), "dog": (0, 0, 255)}
    files = {}
    for split, count in (("train", 3), ("test", 1)):
        for label, color in colors.items():
            for index in range(count):
                array = np.full((32, 32 + index % 2, 3), color, dtype=np.uint8)
                files[f"{split}/{label}/{index:04}.png"] = png(array)
    return files


def write_folder(folder, files):
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def test_image_folder_with_splits(tmp_path, pictures):
    write_folder(tmp_path / "pets", pictures)
    found = load(str(tmp_path / "pets"), tmp_path, channels=3, image_size=32)
    assert found.name == "pets" and found.class_names == ("cat", "dog")
    assert found.train.images.shape == (6, 3, 32, 32) and found.test.images.shape == (2, 3, 32, 32)
    assert found.train.labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert found.train.images[0, :, 5, 5].tolist() == [255, 0, 0]
    grey = load(str(tmp_path / "pets"), tmp_path, image_size=16)
    assert grey.train.images.shape == (6, 1, 16, 16)


def test_a_folder_that_is_called_like_a_known_data_set_is_not_taken_for_it(tmp_path, pictures):
    write_folder(tmp_path / "mnist", pictures)
    assert load(str(tmp_path / "mnist"), tmp_path, image_size=16).name == "mnist-folder"


def test_archive_of_an_image_folder(tmp_path, pictures):
    with tarfile.open(tmp_path / "cifar10-jpeg.tar.gz", "w:gz") as archive:
        for name, data in reversed(pictures.items()):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    found = load("cifar10", tmp_path, folder=tmp_path, channels=3, image_size=32)
    assert found.name == "cifar10" and found.class_names == ("cat", "dog")
    assert found.note == "PNG copy", "figures on a copy are not always those of the original"
    assert found.train.images.shape == (6, 3, 32, 32)


def test_image_folder_without_splits_or_classes(tmp_path, pictures):
    data = pictures["train/cat/0000.png"]
    write_folder(tmp_path / "flat", {f"{index:02}.png": data for index in range(20)})
    found = load(str(tmp_path / "flat"), tmp_path, channels=3, image_size=32)
    assert (len(found.train.images), len(found.test.images)) == (18, 2)
    assert len(found.class_names) == 1
    write_folder(tmp_path / "broken", {"a/1.png": data, "a/2.png": data[:50]})
    with pytest.raises(DatasetError, match=r"a/2\.png is a truncated or damaged picture"):
        load(str(tmp_path / "broken"), tmp_path, channels=3, image_size=32)


def test_cifars_own_binary_files(tmp_path):
    random = np.random.default_rng(0)
    batches = {f"data_batch_{i}.bin": random.integers(0, 10, (4, 3073), dtype=np.uint8) for i in range(1, 6)}
    batches["test_batch.bin"] = random.integers(0, 10, (3, 3073), dtype=np.uint8)
    folder = tmp_path / "cifar10"
    write_folder(folder, {f"cifar-10-batches-bin/{name}": data.tobytes() for name, data in batches.items()})
    found = load("cifar10", tmp_path, folder=tmp_path, channels=3, image_size=32)
    assert found.note is None
    assert found.train.images.shape == (20, 3, 32, 32) and found.class_names[0] == "airplane"
    assert found.test.labels.tolist() == batches["test_batch.bin"][:, 0].tolist()
    assert found.test.images[0, 1, 0, 0] == batches["test_batch.bin"][0, 1 + 1024]


def test_idx_files_survive_a_round_trip_and_damage_is_named(tmp_path):
    array = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    path = tmp_path / "a.gz"
    write_idx(path, array)
    data = gzip.decompress(path.read_bytes())
    assert np.array_equal(read_idx(data, "a"), array)
    for damaged, sentence in (
        (data[:-1], "a holds 23 bytes of data, its header says 24"),
        (data[:6], "a is cut short in its header"),
        (b"\x89PNG", "a is not an IDX file of bytes"),
        (b"", "a is not an IDX file of bytes"),
    ):
        with pytest.raises(ValueError, match=sentence):
            read_idx(damaged, "a")
    assert find_idx(tmp_path) is None


def test_files_that_do_not_belong_together(tmp_path):
    shutil.copytree(SLICE, tmp_path / "mnist")
    write_idx(tmp_path / "mnist" / f"{IDX_FILES['test_labels']}.gz", np.zeros(7, dtype=np.uint8))
    with pytest.raises(DatasetError, match=r"test files do not belong together: \(100, 28, 28\) and \(7,\)"):
        load("mnist", tmp_path, folder=tmp_path)
    (tmp_path / "mnist" / f"{IDX_FILES['test_labels']}.gz").write_bytes(b"not packed")
    with pytest.raises(DatasetError, match="data set 'mnist' cannot be read"):
        load("mnist", tmp_path, folder=tmp_path)

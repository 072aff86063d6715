"""A folder means what a person meant by it, or it is said what was understood."""

import pytest

from pentimento.training.data.datasets import DatasetError
from tests.training.data.folders import counts, load, many, write


def lines(dataset, start):
    return [line for line in dataset.report if line.startswith(start)]


def test_a_class_may_be_called_train(tmp_path):
    found = load(write(tmp_path, many("car", "train", "bus")))
    assert found.class_names == ("bus", "car", "train") and counts(found) == (10, 2)
    assert lines(found, "train/ is a class and no split, as other folders lie beside it")


def test_as_kaggle_lays_it_out_test_pictures_have_no_class_and_stay_out(tmp_path):
    found = load(write(tmp_path, many("train/cat", "train/dog", "test")))
    assert found.class_names == ("cat", "dog") and counts(found) == (7, 1)
    (line,) = lines(found, "left out: test pictures without a class, which the training pictures have (4)")
    assert "test/0.png" in line
    assert lines(found, "the first of every 10 pictures tests")


def test_splits_without_classes(tmp_path):
    found = load(write(tmp_path, many("train", "test")))
    assert found.class_names == ("",) and counts(found) == (4, 4)


@pytest.mark.parametrize("name", ["val", "valid", "Validation"])
def test_validation_pictures_stay_out_where_others_test(tmp_path, name):
    found = load(write(tmp_path, many("train/cat", "train/dog", f"{name}/cat", f"{name}/dog", "test/cat")))
    assert counts(found) == (8, 4)
    assert lines(found, "left out: validation pictures, as others test (8)")


def test_validation_pictures_test_where_no_others_do(tmp_path):
    found = load(write(tmp_path, many("Train/cat", "Train/dog", "val/cat", "val/dog")))
    assert found.class_names == ("cat", "dog") and counts(found) == (8, 8)
    assert lines(found, "the validation pictures test, as no others do")


def test_splits_beside_other_folders_are_ambiguous(tmp_path):
    write(tmp_path, many("train/cat", "test/cat", "backup"))
    with pytest.raises(DatasetError, match=r"the splits test/, train/ lie beside backup/: put those below"):
        load(tmp_path)


def test_only_one_split(tmp_path):
    assert counts(load(write(tmp_path / "a", many("train/a", "train/b", count=12)))) == (21, 3)
    with pytest.raises(DatasetError, match=r"/b there are no training pictures: all 8 lie below test/, val/"):
        load(write(tmp_path / "b", many("test/a", "val/a")))


def test_folders_around_everything_are_no_classes(tmp_path):
    found = load(write(tmp_path, many("pets-v2/images/cat", "pets-v2/images/dog")))
    assert found.class_names == ("cat", "dog")
    found = load(
        write(tmp_path / "split", many("pets-v2/train/cat", "pets-v2/train/dog", "pets-v2/test/dog"))
    )
    assert found.class_names == ("cat", "dog") and counts(found) == (8, 4)


def test_the_first_folder_is_the_class_however_deep_pictures_lie(tmp_path):
    found = load(write(tmp_path, many("cat/tabby", "cat/black", "dog")))
    assert found.class_names == ("cat", "dog")
    assert lines(found, "deeper than the folder that is their class (8): cat/black/0.png, ...")


def test_strays_are_left_out_and_half_a_folder_is_refused(tmp_path):
    found = load(write(tmp_path / "few", many("cat", "dog") | {"logo.png": None}))
    assert found.class_names == ("cat", "dog")
    assert lines(found, "left out: pictures beside the class folders (1): logo.png")
    found = load(write(tmp_path / "splits", many("train/cat", "train/dog", "test/cat") | {"logo.png": None}))
    assert counts(found) == (8, 4) and lines(found, "left out: pictures beside the splits (1): logo.png")
    write(tmp_path / "half", many("cat") | {f"{index}.png": None for index in range(4)})
    sentence = r"the pictures beside the class folders \(4: 0\.png\) are no fewer than those within \(4\)"
    with pytest.raises(DatasetError, match=sentence):
        load(tmp_path / "half")


def test_a_test_class_that_nobody_trains_is_refused(tmp_path):
    write(tmp_path, many("train/cat", "train/dog", "test/Cat"))
    sentence = r"test/Cat/0\.png is of the class 'Cat', which no training picture has; they have cat/, dog/"
    with pytest.raises(DatasetError, match=sentence):
        load(tmp_path)


def test_a_class_keeps_its_only_picture_to_train_on(tmp_path):
    found = load(
        write(tmp_path, many("a", "c") | {"b/0.png": None} | {f"a/{i}x.png": None for i in range(6)})
    )
    assert found.class_names == ("a", "b", "c")
    assert all(found.class_shares > 0), "the eleventh picture would have tested"


@pytest.mark.parametrize("files", [{"a/0.png": None}, {"0.png": None}])
def test_one_picture_is_too_few(tmp_path, files):
    write(tmp_path, files)
    with pytest.raises(DatasetError, match="must have pictures to train on and to test with, got 1 and 0"):
        load(tmp_path)

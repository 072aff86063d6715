"""The folder of a training: nothing of anybody's is overwritten; what cannot be written is said at once."""

import os

import pytest

from pentimento.training.loop.checkpoints import LATEST, CheckpointError, write_checkpoint
from pentimento.training.loop.folder import refuse_other_files, refuse_unwritable, remove_training


def test_a_new_or_empty_folder_is_fine(tmp_path):
    refuse_other_files(tmp_path / "new", overwrite=False)
    refuse_other_files(tmp_path, overwrite=False)


@pytest.mark.parametrize("overwrite", [False, True])
def test_somebody_elses_files_are_never_overwritten(tmp_path, overwrite):
    (tmp_path / "curves.png").write_bytes(b"a holiday")
    with pytest.raises(ValueError, match=r"holds 'curves\.png' and no training: name another --out"):
        refuse_other_files(tmp_path, overwrite=overwrite)
    remove_training(tmp_path)
    assert (tmp_path / "curves.png").read_bytes() == b"a holiday"
    with pytest.raises(ValueError, match="is a file"):
        refuse_other_files(tmp_path / "curves.png", overwrite=overwrite)


def test_a_training_is_replaced_only_if_asked_and_then_wholly(tmp_path):
    (tmp_path / "log.jsonl").write_text("{}\n")
    (tmp_path / "sheets").mkdir()
    for name in (LATEST, "best.pt", "sheets/000001.png", "notes.txt"):
        (tmp_path / name).write_text("old")
    with pytest.raises(ValueError, match="holds a training already: add --resume or --overwrite"):
        refuse_other_files(tmp_path, overwrite=False)
    refuse_other_files(tmp_path, overwrite=True)
    remove_training(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"], "a note of one's own stays"


def test_a_folder_that_cannot_be_written_to_is_named_at_once(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match=r"cannot write to .*file/run: Not a directory; name another --out"):
        refuse_unwritable(tmp_path / "file" / "run")
    refuse_unwritable(tmp_path / "run")
    refuse_unwritable(tmp_path / "a" / "run")
    assert [path.name for path in tmp_path.iterdir()] == ["file"], "a training makes its folder, not a trial"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full on this system")
def test_a_full_disk_is_named_and_the_old_checkpoint_stays(tmp_path):
    path = tmp_path / LATEST
    write_checkpoint(path, {"iteration": 1})
    before = path.read_bytes()
    path.with_suffix(".part").symlink_to("/dev/full")
    with pytest.raises(CheckpointError, match=r"cannot write .*checkpoint\.pt: .*--resume goes on from it"):
        write_checkpoint(path, {"iteration": 2})
    assert path.read_bytes() == before

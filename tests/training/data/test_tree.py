"""Folders and archives: links, what systems leave behind, damage; and that other files stay unread."""

import io
import os
import tarfile
import zipfile

import pytest

from pentimento.training.data.datasets import DatasetError
from pentimento.training.data.tree import Entry, LeftOut, naming, walk
from tests.training.data.folders import counts, grey, load, many, write

CLASSES = many("a", "b", count=10)


@pytest.fixture
def plain(tmp_path):
    return write(tmp_path / "plain", CLASSES)


def zipped(folder, path, rename=str, **options):
    with zipfile.ZipFile(path, "w", **options) as archive:
        for file in sorted(folder.rglob("*.png")):
            archive.writestr(rename(file.relative_to(folder).as_posix()), file.read_bytes())
    return path


def tarred(folder, path, mode="w", **options):
    with tarfile.open(path, mode, **options) as archive:
        archive.add(folder, folder.name)
    return path


def test_a_folder_and_its_archives_are_the_same_data(plain, tmp_path):
    wanted = load(plain).sha256
    assert load(zipped(plain, tmp_path / "a.zip")).sha256 == wanted
    assert load(zipped(plain, tmp_path / "b.zip", lambda name: name.replace("/", "\\"))).sha256 == wanted
    for mode in ("w", "w:gz", "w:bz2", "w:xz"):
        assert load(tarred(plain, tmp_path / "a.tar", mode)).sha256 == wanted


def test_links_are_followed(plain, tmp_path):
    linked = tmp_path / "linked"
    linked.mkdir()
    (linked / "a").symlink_to(plain / "a", target_is_directory=True)
    (linked / "b").mkdir()
    for file in (plain / "b").iterdir():
        (linked / "b" / file.name).symlink_to(file)
    (linked / "b" / "back").symlink_to(linked, target_is_directory=True)
    (linked / "b" / "gone.png").symlink_to(tmp_path / "nowhere.png")
    found = load(linked)
    assert found.sha256 == load(plain).sha256
    assert "left out: links that lead back to where they lie (1): b/back" in found.report
    assert "left out: links that lead nowhere (1): b/gone.png" in found.report
    (tmp_path / "whole").symlink_to(plain, target_is_directory=True)
    assert load(tmp_path / "whole").sha256 == found.sha256


def test_hard_links_in_a_tar_are_files(plain, tmp_path):
    os.link(plain / "a" / "0.png", plain / "a" / "again.png")
    assert counts(load(tarred(plain, tmp_path / "links.tar"))) == counts(load(plain))


def test_what_systems_leave_behind_is_skipped_and_counted(plain):
    wanted = load(plain).sha256
    picture = (plain / "a" / "0.png").read_bytes()
    left = {
        ".DS_Store": b"\0\0\0\1Bud1",
        "a/._0.png": b"\0\5\x16\7",
        "a/Thumbs.db": b"\xd0\xcf",
        "a/.ipynb_checkpoints/0-checkpoint.png": picture,
        "__MACOSX/a/0.png": picture,
        "@eaDir/0.png": picture,
    }
    write(plain, left)
    found = load(plain)
    assert found.sha256 == wanted and found.class_names == ("a", "b")
    (line,) = [line for line in found.report if "left behind by a system" in line]
    assert "(6)" in line


def test_other_files_are_counted_and_only_their_first_bytes_read(plain, monkeypatch):
    wanted = load(plain).sha256
    (plain / "a" / "film.mp4").write_bytes(b"\0\0\0\x20ftypisom")
    os.truncate(plain / "a" / "film.mp4", 1_500_000_000)  # takes no room, and would take a second to read
    write(plain, {"labels.csv": b"name,class\n", "a/empty.png": b"", "b/page.jpg": b"<html>not found</html>"})
    asked = []

    class Counting(io.FileIO):
        def read(self, size=-1):
            asked.append((self.name, size))
            return super().read(size)

    monkeypatch.setattr("pentimento.training.data.tree._open", Counting)
    found = load(plain)
    assert found.sha256 == wanted
    (line,) = [line for line in found.report if line.startswith("left out: files that are no pictures (4)")]
    assert "a/film.mp4" in line
    assert all(size == 64 for name, size in asked if name.name == "film.mp4")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
def test_a_pipe_is_not_waited_for(plain):
    os.mkfifo(plain / "a" / "pipe.png")
    assert "left out: pipes or devices (1): a/pipe.png" in load(plain).report


def test_a_folder_that_may_not_be_listed_is_no_missing_class(plain, monkeypatch):
    listdir = os.listdir

    def refuse(path):
        if str(path).endswith("b"):
            raise PermissionError(13, "Permission denied", str(path))
        return listdir(path)

    monkeypatch.setattr(os, "listdir", refuse)
    with pytest.raises(DatasetError, match=r"Permission denied: '.*/plain/b'"):
        load(plain)


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.9])
def test_a_cut_tar_is_never_read_as_a_smaller_one(plain, tmp_path, mode, share):
    whole = tarred(plain, tmp_path / "whole.tar", mode).read_bytes()
    if mode == "w":
        whole = whole.rstrip(b"\0")
    cut = tmp_path / "cut.tar"
    cut.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(DatasetError, match=r"cut\.tar is (a cut or damaged archive|neither)"):
        load(cut)


def test_a_tar_that_was_cut_between_two_files(plain, tmp_path):
    whole = tarred(plain, tmp_path / "whole.tar", format=tarfile.USTAR_FORMAT)
    with tarfile.open(whole) as archive:
        at = archive.getmembers()[9].offset
    (tmp_path / "cut.tar").write_bytes(whole.read_bytes()[:at])
    with pytest.raises(DatasetError, match=r"cut\.tar is a cut or damaged archive: it has no end"):
        load(tmp_path / "cut.tar")


def test_a_cut_damaged_or_encrypted_zip(plain, tmp_path):
    data = zipped(plain, tmp_path / "whole.zip", compression=zipfile.ZIP_DEFLATED).read_bytes()
    path = tmp_path / "bad.zip"
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(DatasetError, match=r"bad\.zip is a cut or damaged archive: File is not a zip file"):
        load(path)
    start = data.index(b"\x89PNG") if b"\x89PNG" in data else 60
    path.write_bytes(data[:start] + bytes(40) + data[start + 40 :])
    with pytest.raises(DatasetError, match=r"bad\.zip is a cut or damaged archive"):
        load(path)
    entry = data.rindex(b"PK\1\2")  # the last file of the directory
    path.write_bytes(data[: entry + 8] + b"\1\0" + data[entry + 10 :])
    with pytest.raises(DatasetError, match=r"bad\.zip is encrypted: b/9\.png"):
        load(path)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is an empty file"),
        (b"hello there", "is neither a folder nor a tar or zip archive"),
        (b"\x1f\x8bnot packed at all", "is a cut or damaged archive"),
        (bytes(10240), "holds no pictures"),
        (b"PK\5\6" + bytes(18), "holds no pictures"),
    ],
    ids=["nothing", "text", "gzip", "tar of nothing", "zip of nothing"],
)
def test_files_that_are_no_data_set(tmp_path, content, sentence):
    path = tmp_path / "set [1].bin"
    path.write_bytes(content)
    with pytest.raises(DatasetError) as failure:
        load(path)
    assert sentence in str(failure.value) and str(path) in str(failure.value)


def test_a_single_picture_is_no_data_set(tmp_path):
    write(tmp_path, {"single.png": grey(9)})
    with pytest.raises(
        DatasetError, match=r"single\.png is a single picture \(PNG\); a data set is a folder"
    ):
        load(tmp_path / "single.png")


def test_members_of_archives_that_lead_elsewhere_are_only_names(tmp_path):
    path = tmp_path / "odd.tar"
    with tarfile.open(path, "w") as archive:
        for name in ("../../a/0.png", "/b/0.png", "./a/1.png", "b/1.png"):
            member = tarfile.TarInfo(name)
            data = (write(tmp_path / "one", {"x.png": grey(len(name))}) / "x.png").read_bytes()
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
        link = tarfile.TarInfo("a/passwd.png")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    left_out = LeftOut()
    with naming(path):
        entries = list(walk(path, left_out))
    assert all(isinstance(entry, Entry) for entry in entries)
    assert "left out: links or devices in an archive (1): a/passwd.png" in left_out.lines()
    assert sorted(tmp_path.iterdir()) == [tmp_path / "odd.tar", tmp_path / "one"]

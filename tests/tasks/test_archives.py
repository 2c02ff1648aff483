import io
import tarfile

import pytest

from tasks.archives import unpack_codan
from tasks.errors import TaskError


def archive(members):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:bz2") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return stream.getvalue()


def split(content, count):
    size = -(-len(content) // count)
    return [content[i * size : (i + 1) * size] for i in range(count)]


def test_parts_are_joined_and_stay(tmp_path, rng):
    content = archive({f"train/Car/{i}.jpg": rng.bytes(5000) for i in range(12)})
    for index, part in enumerate(split(content, 12)):
        (tmp_path / f"codan_train.tar.bz2.part{index}").write_bytes(part)
    (tmp_path / "codan_val.tar.bz2").write_bytes(archive({"val/Cup/1.jpg": b"x"}))
    lines = list(unpack_codan(tmp_path))
    assert len(lines) == 2
    assert "part10" in lines[0]
    assert len(list((tmp_path / "data/train/Car").iterdir())) == 12
    assert (tmp_path / "data/val/Cup/1.jpg").read_bytes() == b"x"
    assert len(list(tmp_path.glob("codan_train.tar.bz2.part*"))) == 12


@pytest.mark.parametrize("name", ["../outside.txt", "/absolute/outside.txt", "a/../../outside.txt"])
def test_a_member_outside_is_refused(tmp_path, name):
    root = tmp_path / "root"
    root.mkdir()
    (root / "codan_val.tar.bz2").write_bytes(archive({name: b"x"}))
    if name.startswith("/"):
        # The leading slash is stripped: the member lands inside.
        list(unpack_codan(root))
        assert (root / "data" / name.lstrip("/")).is_file()
    else:
        with pytest.raises(TaskError, match="unsafe member"):
            list(unpack_codan(root))
    assert [p.name for p in tmp_path.iterdir()] == ["root"]


def test_a_link_that_leads_outside_is_refused(tmp_path):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:bz2") as tar:
        link = tarfile.TarInfo("val/link")
        link.type, link.linkname = tarfile.SYMTYPE, "../../../etc"
        tar.addfile(link)
    (tmp_path / "codan_val.tar.bz2").write_bytes(stream.getvalue())
    with pytest.raises(TaskError, match="unsafe member"):
        list(unpack_codan(tmp_path))


def test_missing_parts_and_damage_are_named(tmp_path):
    with pytest.raises(TaskError, match=r"holds no codan_\*"):
        list(unpack_codan(tmp_path))
    parts = split(archive({"train/Car/1.jpg": b"x" * 100}), 3)
    for index in (0, 2):
        (tmp_path / f"codan_train.tar.bz2.part{index}").write_bytes(parts[index])
    with pytest.raises(TaskError, match="part1: this part is missing"):
        list(unpack_codan(tmp_path))
    (tmp_path / "codan_train.tar.bz2.part2").unlink()
    with pytest.raises(TaskError, match="damaged, or a part is missing"):
        list(unpack_codan(tmp_path))

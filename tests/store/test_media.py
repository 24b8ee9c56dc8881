from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from pipeline.contracts import MediaRef
from pipeline.errors import BadMedia, InvalidInput, MediaMissing
from pipeline.generation.moderation.clearances import assembled
from pipeline.store import Store
from pipeline.store.models import MediaFile


def publish(store: Store, content: bytes, ext: str = "png", meta: dict[str, Any] | None = None) -> MediaRef:
    with store.media.draft(f".{ext}") as draft:
        draft.write_bytes(content)
        return store.media.publish(draft, ext=ext, verdict=assembled(), meta=meta)


def test_a_file_is_found_by_its_content(store: Store) -> None:
    ref = publish(store, b"picture", meta={"width": 8})
    sha256 = hashlib.sha256(b"picture").hexdigest()
    assert ref == MediaRef(sha256=sha256, ext="png", size=7, meta={"width": 8})
    path = store.folder.media / sha256[:2] / f"{sha256}.png"
    assert path.read_bytes() == b"picture"
    assert store.media.path(ref.url) == store.media.path(ref) == store.media.verify(ref.url) == path
    assert store.media.ref(ref.url) == ref
    assert store.media.exists(ref.url)
    assert list(store.folder.tmp.iterdir()) == []
    with store.db.read() as session:
        row = session.get_one(MediaFile, sha256)
    assert (row.mime, row.origin, row.verdict) == ("image/png", "engine", assembled().summary)


def test_of_two_descriptions_the_first_that_says_anything_is_kept(store: Store) -> None:
    assert publish(store, b"x").meta == {}
    assert publish(store, b"x", meta={"a": 1}).meta == {"a": 1}
    assert publish(store, b"x", meta={"b": 2}).meta == {"a": 1}
    assert publish(store, b"x").meta == {"a": 1}


def test_the_same_content_has_one_name(store: Store) -> None:
    first, second = publish(store, b"x", "jpg"), publish(store, b"x", "jpeg")
    assert first == second
    assert len(list(store.folder.media.glob("*/*"))) == 1


def test_a_draft_that_is_not_published_disappears(store: Store) -> None:
    with pytest.raises(KeyError), store.media.draft(".mp4") as draft:
        draft.write_bytes(b"half")
        raise KeyError
    assert not draft.exists()
    with store.media.draft(".mp4") as draft:
        pass
    with pytest.raises(BadMedia):
        store.media.publish(draft, ext="mp4", verdict=assembled())


@pytest.mark.parametrize("damage", ["delete", "truncate", "change"])
def test_a_file_lost_or_damaged_under_us_is_named_and_can_be_made_again(store: Store, damage: str) -> None:
    ref = publish(store, b"picture")
    path = store.media.path(ref.url)
    if damage == "delete":
        path.unlink()
    else:
        path.write_bytes(b"pict" if damage == "truncate" else b"pictuRe")
    with pytest.raises(MediaMissing, match=path.name):
        store.media.verify(ref.url)
    if damage != "change":
        with pytest.raises(MediaMissing, match=path.name):
            store.media.path(ref.url)
        assert not store.media.exists(ref.url)
    assert publish(store, b"picture") == ref
    assert store.media.verify(ref.url) == path


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/media/",
        f"/media/{'a' * 63}.png",
        f"/media/{'A' * 64}.png",
        f"/media/{'a' * 64}",
        f"/media/{'a' * 64}.png\n",
        f"/media/{'a' * 64}.p/g",
        f"/media/../{'a' * 64}.png",
        f"https://example.org/media/{'a' * 64}.png",
        f"/media/{'a' * 64}.png?x=1",
        "/media/..%2f..%2fetc%2fpasswd",
        "\x00",
    ],
)
def test_only_addresses_of_our_own_form_are_looked_at(store: Store, url: str) -> None:
    with pytest.raises(InvalidInput):
        store.media.path(url)
    assert not store.media.exists(url)


def test_an_address_that_was_never_given_out(store: Store) -> None:
    with pytest.raises(MediaMissing, match="not known"):
        store.media.ref(f"/media/{'a' * 64}.png")
    ref = publish(store, b"x", "png")
    with pytest.raises(MediaMissing):
        store.media.path(ref.url.replace(".png", ".mp4"))


@pytest.mark.parametrize("ext", ["", "p/g", "../x", "toolongext", "p g"])
def test_an_extension_is_no_path(store: Store, ext: str) -> None:
    with pytest.raises(ValueError, match="extension"):
        publish_from(store.folder.tmp, store, ext)


def publish_from(folder: Path, store: Store, ext: str) -> MediaRef:
    path = folder / "file"
    path.write_bytes(b"x")
    return store.media.publish(path, ext=ext, verdict=assembled())


def test_a_file_from_another_disk_is_copied(store: Store) -> None:
    other = Path("/dev/shm")
    if not other.is_dir() or other.stat().st_dev == store.folder.media.stat().st_dev:
        pytest.skip("there is no second disk here")
    ref = publish_from(other, store, "png")
    assert store.media.verify(ref.url)
    assert not (other / "file").exists()
    assert list(store.folder.tmp.iterdir()) == []


def test_threads_publish_the_same_and_different_files(store: Store) -> None:
    with ThreadPoolExecutor(8) as threads:
        refs = list(threads.map(lambda number: publish(store, b"%d" % (number % 7)), range(70)))
    assert len({ref.sha256 for ref in refs}) == 7
    assert all(store.media.verify(ref.url) for ref in refs)
    with store.db.read() as session:
        assert len(session.scalars(select(MediaFile)).all()) == 7

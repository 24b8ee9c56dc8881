"""Pictures that users send: those of phones are converted and stand upright, hostile ones are refused."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from PIL import Image
from werkzeug.test import TestResponse

from pipeline.projects.uploads import MOST_AT_ONCE, MOST_BYTES
from server.wiring import Services
from tests.server import pictures
from tests.server.pictures import BLUE, GREEN, RED, YELLOW

REFUSED = ("bad_media", "too_large", "invalid_input")


@pytest.fixture
def bell(client: FlaskClient, project: int) -> str:
    """The address of a prop."""
    made = client.post(f"/api/projects/{project}/props", json={"name": "Bell"}).get_json()
    return f"/api/props/{made['id']}"


def send(client: FlaskClient, address: str, *files: bytes, name: str = "photo.jpg") -> TestResponse:
    data = {"file": [(io.BytesIO(data), name) for data in files]}
    return client.post(address, data=data, content_type="multipart/form-data")


def kept(client: FlaskClient, parts: Services, answer: TestResponse) -> Image.Image:
    """The picture that was published."""
    assert answer.status_code == 201, answer.get_json()
    url = answer.get_json()["items"][-1]["image_url"]
    assert client.get(url).status_code == 200
    with Image.open(parts.store.media.path(url)) as image:
        image.load()
        return image


def near(pixel: Any, colour: tuple[int, ...], by: int = 24) -> bool:
    return all(abs(one - other) <= by for one, other in zip(pixel, colour, strict=False))


def corners(image: Image.Image) -> list[Any]:
    """Top left, top right, bottom left, bottom right."""
    right, bottom = image.width - 6, image.height - 6
    return [image.getpixel(place) for place in ((5, 5), (right, 5), (5, bottom), (right, bottom))]


UPRIGHT = {
    1: (RED, GREEN, BLUE, YELLOW),
    2: (GREEN, RED, YELLOW, BLUE),
    3: (YELLOW, BLUE, GREEN, RED),
    4: (BLUE, YELLOW, RED, GREEN),
    5: (RED, BLUE, GREEN, YELLOW),
    6: (BLUE, RED, YELLOW, GREEN),
    7: (YELLOW, GREEN, BLUE, RED),
    8: (GREEN, YELLOW, RED, BLUE),
}


def test_photos_are_turned_upright_and_say_nothing_of_where_they_were_taken(
    client: FlaskClient, parts: Services, bell: str
) -> None:
    answer = send(client, f"{bell}/guide-images", *(pictures.turned(number) for number in range(1, 9)))
    assert answer.status_code == 201, answer.get_json()
    for number, guide in zip(range(1, 9), answer.get_json()["items"], strict=True):
        path = parts.store.media.path(guide["image_url"])
        with Image.open(path) as image:
            seen = corners(image)
            assert not image.getexif()
            assert image.size == ((64, 48) if number < 5 else (48, 64)), number
        assert all(near(pixel, colour) for pixel, colour in zip(seen, UPRIGHT[number], strict=True)), number
        assert b"A phone" not in path.read_bytes()


def test_a_heic_photo_is_converted(client: FlaskClient, parts: Services, bell: str) -> None:
    image = kept(client, parts, send(client, f"{bell}/guide-images", pictures.HEIC, name="IMG_1.HEIC"))
    assert (image.format, image.size) == ("JPEG", (48, 64))
    assert [near(pixel, colour, 40) for pixel, colour in zip(corners(image), UPRIGHT[6], strict=True)] == [True] * 4


def test_other_forms_are_converted(client: FlaskClient, parts: Services, bell: str) -> None:
    quarters = pictures.quarters()
    forms: dict[str, tuple[bytes, str, tuple[int, ...]]] = {
        "CMYK JPEG": (pictures.written(quarters.convert("CMYK"), "JPEG", quality=95), "JPEG", RED),
        "CMYK TIFF": (pictures.written(quarters.convert("CMYK"), "TIFF"), "JPEG", RED),
        "GIF": (pictures.written(quarters.quantize(8), "GIF"), "JPEG", RED),
        "WebP": (pictures.written(quarters, "WEBP", lossless=True), "JPEG", RED),
        "AVIF": (pictures.written(quarters, "AVIF", quality=95), "JPEG", RED),
        "BMP": (pictures.written(quarters, "BMP"), "JPEG", RED),
        "APNG, its first frame": (pictures.animated("PNG"), "JPEG", RED),
        "animated GIF": (pictures.animated("GIF"), "JPEG", RED),
        "animated WebP": (pictures.animated("WEBP"), "JPEG", RED),
        "16 bits": (pictures.deep(), "JPEG", (26, 26, 26)),
        "1 bit": (pictures.png(Image.new("1", (64, 48), 1)), "JPEG", (255, 255, 255)),
        "see-through": (pictures.png(Image.new("RGBA", (64, 48), (*BLUE, 128))), "PNG", (*BLUE, 128)),
        "opaque": (pictures.png(Image.new("RGBA", (64, 48), (*BLUE, 255))), "JPEG", BLUE),
        "grey and see-through": (pictures.png(Image.new("LA", (64, 48), (90, 0))), "PNG", (90, 90, 90, 0)),
    }
    for name, (data, form, colour) in forms.items():
        image = kept(client, parts, send(client, f"{bell}/guide-images", data))
        assert (image.format, image.size) == (form, (64, 48)), name
        assert image.mode == ("RGBA" if form == "PNG" else "RGB"), name
        assert near(image.getpixel((5, 5)), colour), (name, image.getpixel((5, 5)))


def test_a_deep_picture_keeps_its_greys(client: FlaskClient, parts: Services, bell: str) -> None:
    image = kept(client, parts, send(client, f"{bell}/guide-images", pictures.deep()))
    assert near(image.getpixel((5, 24)), (127, 127, 127))
    assert near(image.getpixel((60, 47)), (255, 255, 255))


def test_a_large_photo_is_made_smaller(client: FlaskClient, parts: Services, bell: str) -> None:
    large = pictures.written(pictures.quarters(8064, 6048), "JPEG", quality=60)
    image = kept(client, parts, send(client, f"{bell}/guide-images", large))
    assert image.size == (4096, 3072)
    assert [near(pixel, colour) for pixel, colour in zip(corners(image), UPRIGHT[1], strict=True)] == [True] * 4


def test_names_are_no_paths_and_types_are_not_believed(client: FlaskClient, parts: Services, bell: str) -> None:
    for name in ("../../../etc/passwd", "CON", "a\x00.png", "/tmp/x.svg", "x" * 4000, "🦊'\".gif"):
        data = {"file": (io.BytesIO(pictures.png()), name, "text/html")}
        answer = client.post(f"{bell}/guide-images", data=data, content_type="multipart/form-data")
        assert kept(client, parts, answer).format == "JPEG", name
    assert files(parts.store.folder.tmp) == []


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


# --- What is refused ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def hostile() -> Iterator[dict[str, bytes]]:
    yield pictures.hostile()


def test_hostile_pictures_are_refused_and_leave_nothing(
    client: FlaskClient, parts: Services, bell: str, hostile: dict[str, bytes]
) -> None:
    assert len(hostile) >= 40
    outcomes = {}
    for name, data in hostile.items():
        answer = send(client, f"{bell}/guide-images", data)
        outcomes[name] = (answer.status_code, answer.get_json().get("code"))
        said = answer.get_json()
        assert said.get("detail") and said.get("hint"), (name, said)
    assert {name: got for name, got in outcomes.items() if got[0] not in (413, 422) or got[1] not in REFUSED} == {}
    assert client.get(f"{bell}/guide-images").get_json()["items"] == []
    assert files(parts.store.folder.media) == []
    assert files(parts.store.folder.tmp) == []


def test_a_picture_that_is_slow_to_read_is_given_up(client: FlaskClient, bell: str) -> None:
    """Ten thousand scans of one picture: small to send, hours to look at."""
    begun = time.process_time()
    answer = send(client, f"{bell}/guide-images", pictures.many_scans(3_000))
    assert (answer.status_code, answer.get_json()["code"]) == (422, "bad_media")
    assert time.process_time() - begun < 5, "this process does not do the reading"


def test_one_bad_picture_among_many_spoils_them_all_and_is_named(
    client: FlaskClient, parts: Services, bell: str
) -> None:
    answer = send(client, f"{bell}/guide-images", pictures.jpeg(), b"<svg/>", pictures.png())
    assert answer.status_code == 422
    assert "2 of 3" in answer.get_json()["detail"]
    assert client.get(f"{bell}/guide-images").get_json()["items"] == []
    assert files(parts.store.folder.media) == []


def test_limits_of_size_and_number(client: FlaskClient, bell: str) -> None:
    big = send(client, f"{bell}/guide-images", bytes(MOST_BYTES + 1))
    assert (big.status_code, big.get_json()["code"]) == (413, "too_large")
    many = send(client, f"{bell}/guide-images", *([pictures.png()] * (MOST_AT_ONCE + 1)))
    assert many.status_code == 422
    none = client.post(f"{bell}/guide-images", data={}, content_type="multipart/form-data")
    assert (none.status_code, none.get_json()["field"]) == (422, "file")
    other = client.post(f"{bell}/guide-images", json={"image_url": "http://127.0.0.1/x.png"})
    assert other.status_code == 415
    for _ in range(2):
        assert send(client, f"{bell}/guide-images", *([pictures.png()] * MOST_AT_ONCE)).status_code == 201
    full = send(client, f"{bell}/guide-images", pictures.png())
    assert (full.status_code, full.get_json()["code"]) == (422, "invalid_input")
    assert len(client.get(f"{bell}/guide-images").get_json()["items"]) == 2 * MOST_AT_ONCE


def test_nothing_is_sent_to_what_is_not_there(client: FlaskClient, project: int) -> None:
    for address in ("/api/props/999/guide-images", "/api/characters/999/reference-image"):
        assert send(client, address, pictures.png()).status_code == 404

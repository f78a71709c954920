"""How many pictures a service takes in one request is read from its complaint."""

import pytest

from tools.llm.picture_limit import most_pictures


@pytest.mark.parametrize(
    ("said", "sent", "most"),
    [
        ("At most 1 image(s) may be provided in one prompt.", 4, 1),
        (
            "At most 4 image(s) may be provided in one request.",
            6,
            4,
        ),
        ("At most 0 image(s) may be provided in one prompt.", 4, None),
        ("Too many images provided. This model supports up to 5 images", 6, 5),
        ("Too many images in prompt: maximum is 8, got 20", 20, 8),
        ("messages.0.content: Too many images: 110 > 100", 110, 100),
        ("vision model only supports a single image per message", 2, 1),
        ("Multiple images are not supported", 2, 1),
        ("only one image is supported", 3, 1),
        ("The number of images (8) exceeds the limit (5)", 8, 5),
        ("The image count exceeds the maximum limit of 10.", 12, 10),
        ("image_urls count exceeds limit", 12, 6),
        ("Invalid 'messages': you can provide a maximum of 10 images", 64, 10),
        ("Requested images exceed limit: 16 images allowed per request", 64, 16),
        ("This model does not support multi-image input", 3, 1),
        ("The model's maximum context length is 4096 tokens; images take 5000", 4, None),
        ("image too large: max 5 MB", 4, None),
        ("Image exceeds 20 MB limit", 4, None),
        ("image dimensions exceed max allowed size: 8000 pixels", 4, None),
        ("Number of images must be less than or equal to 3", 4, 3),
        (
            "You uploaded an unsupported image. Please make sure your image is below 20 MB.",
            4,
            None,
        ),
        ("prompt is too long: 210000 tokens > 200000 maximum", 4, None),
        ("InternalError: Expected 1 image tokens but got 4 images", 4, None),
        ("maximum number of images is 2", 4, 2),
        ("最多支持5张图片", 8, 5),
        ("Only 1 image is supported per request", 3, 1),
        ("Request contains 12 images, but the model supports at most 10 images.", 12, 10),
    ],
)
def test_a_limit_of_pictures_is_read_and_no_other_limit(
    said: str, sent: int, most: int | None
) -> None:
    assert most_pictures(said, sent) == most


def test_one_picture_is_never_too_many() -> None:
    assert most_pictures("At most 1 image(s) may be provided in one prompt.", 1) is None

"""Writes the files that tests/unit/learning reads with Zeroshift's readers: small ones, by the libraries that people write them with.

    python -m venv venv && venv/bin/pip install numpy==2.4.6 scipy==1.17.1 pillow==13.0.0 pyarrow==26.0.1 datasets==5.2.0
    venv/bin/python tests/reference/make_data.py

Run by hand when a reader learns more; the folder data/ beside this script is committed. data/expected.json says what is in
them, by the same libraries.
"""

import io
import json
import pathlib
import platform

import datasets
import numpy as np
import PIL
import pyarrow as pa
import pyarrow.parquet as pq
import scipy.io
from PIL import Image

HERE = pathlib.Path(__file__).parent / "data"
expected = {
    "versions": {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "pillow": PIL.__version__,
        "pyarrow": pa.__version__,
        "datasets": datasets.__version__,
    }
}
rng = np.random.default_rng(1)


def path(name):
    target = HERE / name
    target.parent.mkdir(parents=True, exist_ok=True)
    return target


def picture(height, width, channels=3):
    """A few flat areas: small once compressed, and different everywhere that matters."""
    corners = rng.integers(0, 256, (2, 2, channels), dtype=np.uint8)
    return np.kron(corners, np.ones((height // 2, width // 2, 1), np.uint8))


def pictures(count, height, width, channels=3):
    return np.stack([picture(height, width, channels) for _ in range(count)])


def flat(values):
    return np.asarray(values).ravel().tolist()


def encoded(image, **options):
    out = io.BytesIO()
    image.save(out, **options)
    return out.getvalue()


# NumPy
x, y, xt, yt = pictures(3, 4, 6), np.array([0, 2, 1]), pictures(2, 4, 6), np.array([1, 1])
np.savez(path("npz/four.npz"), x_train=x, y_train=y, x_test=xt, y_test=yt)
expected["four"] = {"images": flat(x) + flat(xt), "labels": flat(y) + flat(yt)}
grey, many = pictures(4, 2, 4, 1)[..., 0], np.array([300, 0, 7, 300], np.int16)
np.savez_compressed(path("npz/grey.npz"), images=grey, labels=many[:, None])
expected["grey"] = {"images": flat(grey), "labels": flat(many)}
np.savez_compressed(path("npz/nchw.npz"), images=x.transpose(0, 3, 1, 2).copy(), labels=y.astype(">i4"))
np.savez(path("npz/objects.npz"), images=x, labels=np.array(["a", None, 3], object))
np.savez(path("npz/floats.npz"), images=x.astype(np.float32) / 255, labels=y)
np.savez(path("npz/fortran.npz"), images=np.asfortranarray(x), labels=y)
np.savez(path("npz/negative.npz"), images=x, labels=np.array([0, -1, -2], np.int8))

# SciPy, as MATLAB 5 files with the names, types and order of SVHN's
for name, count, labels in [("train", 3, [1, 10, 4]), ("test", 2, [9, 10])]:
    images = pictures(count, 32, 32)
    scipy.io.savemat(
        path(f"svhn/{name}_32x32.mat"),
        {"X": images.transpose(1, 2, 3, 0), "y": np.array(labels, np.uint8)[:, None]},
        do_compression=True,
    )
    expected[f"svhn-{name}"] = {"images": flat(images), "labels": [label % 10 for label in labels]}
scipy.io.savemat(path("mat/plain.mat"), {"a": np.arange(6.0).reshape(2, 3), "b": np.array([[1, 2]], np.int32)})

# Pillow: images whose decoding is a matter of definition, and what they are
colour = picture(4, 6)
alpha = np.concatenate([colour, np.array([[[0], [128]], [[255], [255]]], np.uint8).repeat(2, 0).repeat(3, 1)], 2)
deep = rng.integers(0, 65536, (4, 6)).astype(np.uint16)
exif = Image.Exif()
exif[0x0112] = 6
big = picture(16, 24)
files = {
    "colour.png": encoded(Image.fromarray(colour), format="PNG"),
    "palette.png": encoded(Image.fromarray(colour).quantize(8), format="PNG"),
    "alpha.png": encoded(Image.fromarray(alpha), format="PNG"),
    "grey.png": encoded(Image.fromarray(colour[..., 0]), format="PNG"),
    "deep.png": encoded(Image.fromarray(deep), format="PNG"),
    "lossless.webp": encoded(Image.fromarray(colour), format="WEBP", lossless=True),
    "turned.jpg": encoded(Image.fromarray(big), format="JPEG", quality=100, subsampling=0, exif=exif),
    "inks.jpg": encoded(Image.fromarray(big).convert("CMYK"), format="JPEG"),
    "moving.gif": encoded(Image.fromarray(colour), format="GIF"),
}
for name, content in files.items():
    path(f"images/{name}").write_bytes(content)
over_black = (alpha[..., :3].astype(float) * alpha[..., 3:] / 255).round().astype(int)
expected["images"] = {
    "colour": flat(colour),
    "alpha": flat(over_black),
    "grey": flat(colour[..., 0]),
    "deep": flat(deep >> 8),
    "turned": flat(np.rot90(big, -1)),
}

# Hugging Face's own library
names = ["cat", "dog", "eel"]
features = datasets.Features({"image": datasets.Image(), "label": datasets.ClassLabel(names=names)})
for name, count, labels in [("train", 5, [0, 1, 2, 1, 0]), ("test", 3, [2, 0, 1])]:
    images = pictures(count, 4, 6)
    rows = {"image": [{"bytes": encoded(Image.fromarray(i), format="PNG"), "path": None} for i in images], "label": labels}
    table = datasets.Dataset.from_dict(rows, features=features)
    table.to_parquet(path(f"huggingface/data/{name}-00000-of-00001.parquet"))
    expected[f"huggingface-{name}"] = {"images": flat(images), "labels": labels}

# Arrow: raw bytes in a column, in every compression and both versions of pages
images = pictures(6, 4, 6)
labels = [3, 0, 3, 1, 1, 0]
table = pa.table(
    {
        "note": [f"row {i}" for i in range(6)],
        "img": [encoded(Image.fromarray(i), format="PNG") for i in images],
        "labels": pa.array(labels, pa.int8()),
    }
)
for compression in ["none", "snappy", "gzip", "zstd", "brotli", "lz4"]:
    for version in ["1.0", "2.0"]:
        pq.write_table(
            table,
            path(f"arrow/{compression}-{version[0]}.parquet"),
            compression=compression,
            data_page_version=version,
            row_group_size=4,
        )
expected["arrow"] = {"images": flat(images), "labels": labels}

(HERE / "expected.json").write_text(json.dumps(expected, separators=(",", ":")) + "\n")

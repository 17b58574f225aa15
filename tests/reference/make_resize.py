"""Images resized by Pillow 13.0.0, beside which learning/prepare.ts is tested: python make_resize.py > resize.json"""

import json

import numpy as np
import PIL
from PIL import Image

HEIGHT, WIDTH = 9, 7
SIZES = ((14, 11), (4, 3), (9, 16), (5, 7))
FILTERS = {"nearest": Image.NEAREST, "bilinear": Image.BILINEAR, "bicubic": Image.BICUBIC}

image = np.array(
    [[[(x * 37 + y * 53 + c * 91 + x * y * 11) % 256 for c in range(3)] for x in range(WIDTH)] for y in range(HEIGHT)],
    dtype=np.uint8,
)
resized = [
    {
        "filter": name,
        "size": [height, width],
        "pixels": np.asarray(Image.fromarray(image).resize((width, height), number)).reshape(-1).tolist(),
    }
    for name, number in FILTERS.items()
    for height, width in SIZES
]
print(json.dumps({"pillow": PIL.__version__, "shape": list(image.shape), "image": image.reshape(-1).tolist(), "resized": resized}))

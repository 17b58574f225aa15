"""Unpacks TensorFlow's C library and its headers from a wheel: WHEEL DIRECTORY -> DIRECTORY/lib, DIRECTORY/include."""

import os
import re
import shutil
import sys
import zipfile

# The folders of headers that the C interface includes; the wheel has 11,000 headers.
HEADERS = ("tensorflow/c/", "tensorflow/core/platform/", "tsl/platform/", "xla/tsl/")
LIBRARY = re.compile(r"tensorflow/(libtensorflow_(?:cc|framework)\.(?:so\.2|2\.dylib))")

wheel, directory = sys.argv[1:]
libraries = 0
with zipfile.ZipFile(wheel) as archive:
    for name in archive.namelist():
        inside = name.removeprefix("tensorflow/include/")
        if match := LIBRARY.fullmatch(name):
            target = os.path.join(directory, "lib", match[1])
            libraries += 1
        elif inside != name and inside.startswith(HEADERS) and not inside.endswith("/"):
            target = os.path.join(directory, "include", inside)
        else:
            continue
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with archive.open(name) as source, open(target, "wb") as file:
            shutil.copyfileobj(source, file, 1 << 20)
if libraries != 2:
    sys.exit(f"{wheel}: expected libtensorflow_cc and libtensorflow_framework in tensorflow/, found {libraries} of them")

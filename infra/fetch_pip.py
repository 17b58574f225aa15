"""Downloads pip's newest wheel into the directory given, for a Python that has no pip."""

import hashlib
import json
import os
import re
import sys
import urllib.parse
import urllib.request

directory = sys.argv[1]
index = os.environ.get("PIP_INDEX_URL", "https://pypi.org/simple").rstrip("/") + "/pip/"
request = urllib.request.Request(index, headers={"Accept": "application/vnd.pypi.simple.v1+json"})
with urllib.request.urlopen(request, timeout=60) as answer:
    files = json.load(answer)["files"]

release = re.compile(r"pip-(\d+(?:\.\d+)*)-py3-none-any\.whl")
wheels = [(release.fullmatch(file["filename"]), file) for file in files]
wheels = [(tuple(map(int, match[1].split("."))), file) for match, file in wheels if match and not file.get("yanked")]
_, newest = max(wheels, key=lambda pair: pair[0])

with urllib.request.urlopen(urllib.parse.urljoin(index, newest["url"]), timeout=60) as answer:
    content = answer.read()
found, expected = hashlib.sha256(content).hexdigest(), newest["hashes"]["sha256"]
if found != expected:
    sys.exit(f"{newest['url']}: the SHA-256 is {found}, expected {expected}")
with open(os.path.join(directory, newest["filename"]), "wb") as wheel:
    wheel.write(content)

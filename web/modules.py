"""Names under which the modules of pages import libraries, and the hash by which the content policy lets the map in."""

import base64
import hashlib
import json

_MODULES = {
    "pkijs": "/lib/pkijs/index.js",
    "asn1js": "/lib/asn1js/index.js",
    "bytestreamjs": "/lib/bytestreamjs/index.js",
    "@peculiar/utils": "/lib/peculiar/index.js",
    "@noble/hashes/": "/lib/noble/",
}
IMPORT_MAP = json.dumps({"imports": _MODULES}, separators=(",", ":"))
IMPORT_MAP_HASH = "sha256-" + base64.b64encode(hashlib.sha256(IMPORT_MAP.encode()).digest()).decode()

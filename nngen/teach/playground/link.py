"""Links that hold a spec: the playground reads it from behind the `#`, which browsers keep to themselves."""

from __future__ import annotations

import base64
import json
import zlib


def link(playground: str, text: str, file: str) -> str:
    """The address at which a playground opens a spec.

    Args:
        playground: the address of the playground.
        text: the spec.
        file: the name of its file.
    """
    deflate = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    spec = json.dumps({"file": file, "text": text}).encode()
    packed = base64.urlsafe_b64encode(deflate.compress(spec) + deflate.flush())
    return f"{playground}#s={packed.decode().rstrip('=')}"

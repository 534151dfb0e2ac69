"""Packs all that is imported from outside of Python's own library, as bytecode: run in Pyodide, after `warm`."""

import importlib.metadata
import os
import py_compile
import sys
import zipfile

ROOTS = ("/own/", "/installed/")
DATA = {
    "/own/templates": "nngen/templates",
    "/own/nngen/teach/translations": "nngen/teach/translations",
    "/installed/blib2to3": "blib2to3",
}
DATE = (1980, 1, 1, 0, 0, 0)


def pack(path):
    """Write the archive."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, data in sorted(_files()):
            entry = zipfile.ZipInfo(name, DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)


def licences():
    """The licence of each package that is packed."""
    tops = {_relative(file).partition("/")[0].removesuffix(".py") for file in _sources()}
    found = []
    for distribution in importlib.metadata.distributions(path=["/installed"]):
        files = distribution.files or ()
        if tops & {str(file).partition("/")[0].removesuffix(".py") for file in files}:
            texts = [f for f in files if "licens" in str(f).lower() or "copying" in str(f).lower()]
            told = "\n".join(f.read_text(encoding="utf-8") for f in texts if ".dist-info" in str(f))
            licence = (
                distribution.metadata.get("License-Expression")
                or distribution.metadata.get("License")
                or ""
            )
            found.append(f"{distribution.name} {distribution.version} ({licence})\n\n{told}")
    return sorted(found, key=str.lower)


def _sources():
    files = {getattr(module, "__file__", None) for module in list(sys.modules.values())}
    return sorted(file for file in files if file and file.startswith(ROOTS))


def _relative(path):
    return next(path.removeprefix(root) for root in ROOTS if path.startswith(root))


def _files():
    for source in _sources():
        name = _relative(source).removesuffix(".py") + ".pyc"
        unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
        # nngen reads docstrings of its own.
        strip = -1 if source.startswith("/own/") else 2
        py_compile.compile(
            source,
            "/one.pyc",
            dfile=_relative(source),
            doraise=True,
            optimize=strip,
            invalidation_mode=unchecked,
        )
        with open("/one.pyc", "rb") as file:
            yield name, file.read()
    for folder, inside in DATA.items():
        for base, _, names in os.walk(folder):
            for each in names:
                if each.endswith((".j2", ".yaml", ".txt")):
                    with open(f"{base}/{each}", "rb") as file:
                        yield f"{inside}{base.removeprefix(folder)}/{each}", file.read()

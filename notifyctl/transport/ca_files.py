"""A project's own CA file: certificates in PEM form that are trusted in addition. Whether they are sound, `certificates` says."""

from __future__ import annotations

from notifyctl.ports import FileTree

BEGIN = "-----BEGIN CERTIFICATE-----"


def read_certificates(files: FileTree, path: str) -> str:
    """The file's text. Raises ValueError with a sentence when it cannot be read, or holds no certificate in PEM form."""
    try:
        text = files.read(path).decode("ascii", "replace")
    except OSError as error:
        why = (
            "it is not in the project"
            if isinstance(error, FileNotFoundError)
            else error.strerror or str(error)
        )
        raise ValueError(f"the CA file `{path}` cannot be read: {why}") from error
    if BEGIN not in text:
        raise ValueError(f"the CA file `{path}` holds no certificate in PEM form, which begins with {BEGIN}")
    return text

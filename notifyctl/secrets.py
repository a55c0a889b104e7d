"""Reads secrets from where the project says they are. No message contains a secret's value."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from notifyctl.errors import SettingsError
from notifyctl.model.project import Secret


def read_secret(secret: Secret, environ: Mapping[str, str], *, what: str) -> str:
    """The text of a secret, stripped of surrounding white space. `what` names it in errors.

    Raises SettingsError if the variable or file is missing, unreadable or empty.
    """
    if secret.file is not None:
        text = read_file(secret, Path(secret.file), what)
    else:
        assert secret.env is not None, "the loader asks for a variable or a file"
        if secret.env not in environ:
            raise SettingsError(
                f"{what} is missing: the environment variable {secret.env} is not set",
                hint=f"set {secret.env}, for example from the secrets of the CI job",
            )
        text = environ[secret.env]
    if not text.strip():
        raise SettingsError(f"{what} is missing: {describe_source(secret)} is empty")
    return text.strip()


def read_file(secret: Secret, path: Path, what: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise SettingsError(f"{what} is missing: {describe_source(secret)}: {error.strerror}") from error
    except UnicodeDecodeError:
        raise SettingsError(f"cannot read {what}: {describe_source(secret)} is not UTF-8 text") from None


def describe_source(secret: Secret) -> str:
    return f"the file {secret.file}" if secret.file is not None else f"the environment variable {secret.env}"

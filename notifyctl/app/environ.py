"""The process environment: read here and handed on, so that everything else can be tried with another one."""

from __future__ import annotations

import os

from notifyctl.ports import Environ


def process_environ() -> Environ:
    return os.environ

"""Posts every n-th request of a dry run, and does nothing else: `bare_posts.py FILE PROCESSES THIS_ONE`. The bodies are bytes before
the first is sent.
"""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

CONCURRENCY = 4


def main() -> None:
    file, processes, this = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    lines = file.read_text(encoding="utf-8").splitlines()[this::processes]
    requests = [(each["url"], json.dumps(each["body"]).encode()) for each in map(json.loads, lines)]
    with httpx.Client(trust_env=False) as client, ThreadPoolExecutor(CONCURRENCY) as pool:

        def post(request: tuple[str, bytes]) -> int:
            url, body = request
            return client.post(url, content=body, headers={"content-type": "application/json"}).status_code

        assert set(pool.map(post, requests)) == {201}


if __name__ == "__main__":
    main()

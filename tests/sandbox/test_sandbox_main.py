"""``python -m providers.sandbox``: one line out, and an end with the parent."""

from __future__ import annotations

import json
import subprocess
import sys

import httpx

COMMAND = [sys.executable, "-m", "providers.sandbox", "--now", "2026-03-04T15:20:00Z"]


def test_it_prints_one_line_serves_and_ends_when_its_input_closes() -> None:
    with subprocess.Popen(
        [*COMMAND, "--calls", "60", "--seed", "3"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin and process.stdout
        line = json.loads(process.stdout.readline())
        assert line["tokens"]["nectar"] == "fake-nectar-token-3"
        assert line["settings"]["cinnox"] == {"app_id": "sandbox-app"}
        headers = {"Access-Token": line["tokens"]["nectar"]}
        answer = httpx.get(line["base_urls"]["nectar"] + "/calls/1000", headers=headers)
        assert answer.json()["calls"]["id"] == 1000
        assert httpx.get(line["media_url"]).status_code == 404
        process.stdin.close()
        assert process.wait(10) == 0
        assert process.stdout.read() == b""


def test_wrong_usage_is_code_2_and_says_what_is_wrong() -> None:
    wrong = subprocess.run(
        [*COMMAND, "--calls", "-1"], stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    assert (wrong.returncode, wrong.stdout) == (2, b"")
    assert b"calls at least 0" in wrong.stderr


def test_a_taken_port_is_one_plain_line_and_code_1() -> None:
    with subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as first:
        assert first.stdin and first.stdout
        url = json.loads(first.stdout.readline())["base_urls"]["liner"]
        port = url.rpartition(":")[2]
        second = subprocess.run(
            [*COMMAND, "--port", port], stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
        assert second.returncode == 1
        assert second.stderr == b"the sandbox cannot listen: Address already in use\n"
        first.stdin.close()
        first.wait(10)

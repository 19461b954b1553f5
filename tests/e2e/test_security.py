"""What docs/security.md promises of the real server, tried from outside."""

import socket
import urllib.error
import urllib.request

import pytest

from tests.test_security import CONFIG


@pytest.mark.threat("Another site's page acts for the visitor")
def test_an_upload_without_the_servers_cookie_is_refused(server: str) -> None:
    """Another site's page can send a request, not read the cookie that has to come with it."""
    upload = urllib.request.Request(f"{server}/_stcore/upload_file/a/b", data=b"x", method="PUT")
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(upload, timeout=10)
    assert refused.value.code in (400, 403)


@pytest.mark.threat("Another site's page acts for the visitor")
@pytest.mark.parametrize(("origin", "status"), [("https://evil.example", "403"), (None, "101")])
def test_another_sites_page_gets_no_websocket(server: str, origin: str | None, status: str) -> None:
    host = server.removeprefix("http://")
    lines = [
        "GET /_stcore/stream HTTP/1.1", f"Host: {host}", f"Origin: {origin or server}", "Connection: Upgrade",
        "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "", "",
    ]  # fmt: skip
    with socket.create_connection(host.split(":"), timeout=30) as connection:
        connection.sendall("\r\n".join(lines).encode())
        assert connection.recv(4096).split()[1].decode() == status


@pytest.mark.threat("A file is too large, or unpacks to too much")
def test_a_file_larger_than_the_limit_is_refused_unread(server: str) -> None:
    content = bytes((CONFIG["server"]["maxUploadSize"] + 1) * 2**20)
    upload = urllib.request.Request(f"{server}/_stcore/upload_file/a/b", data=content, method="PUT")
    with pytest.raises((urllib.error.HTTPError, urllib.error.URLError)):
        urllib.request.urlopen(upload, timeout=30)


@pytest.mark.threat("A path leads out of the store")
@pytest.mark.parametrize(
    "path", ["/live/../../etc/passwd", "/live/%2e%2e%2f%2e%2e%2fetc%2fpasswd", "/vendor/../app.py"]
)
def test_the_servers_own_addresses_lead_nowhere_else(server: str, path: str) -> None:
    try:
        with urllib.request.urlopen(server + path, timeout=10) as answer:
            content = answer.read()
    except urllib.error.HTTPError as refused:
        content = refused.read()
    assert b"root:" not in content
    assert b"import streamlit" not in content

"""How a class comes into a room: the address in its network, as text and as a QR code, and the short code."""

import socket
from html import escape
from urllib.parse import urlsplit

import segno
import streamlit as st

from explorer.language import tr
from explorer.ui import sitemap

_HERE_ALONE = ("localhost", "127.0.0.1", "::1", "")
_UNUSED = ("192.0.2.1", 9)  # an address that nobody has (RFC 5737): asking for the way to it sends nothing


def address(path: str) -> str:
    """Where others in the network find a path of this server: at the browser's address, or this machine's."""
    shown = urlsplit(st.context.url or "")
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    host, port = shown.hostname or "", shown.port
    if host in _HERE_ALONE:
        host, port = lan_address(), port or int(st.get_option("server.port"))
    name = f"[{host}]" if ":" in host else host
    root = f"{shown.scheme or 'http'}://{name}" + (f":{port}" if port else "")
    return "/".join(part for part in (root, base, path) if part)


def lan_address() -> str:
    """This machine's address in its network; its own loopback where it has none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as way:
        try:
            way.connect(_UNUSED)
        except OSError:
            return "127.0.0.1"
        return str(way.getsockname()[0])


def draw(code: str) -> None:
    """The code in letters as large as fit, the address and the same as a picture to photograph."""
    link = address(f"{sitemap.entry('room').name}?code={code}")
    picture = segno.make(link, error="m", micro=False).svg_data_uri(scale=8, border=3, dark="#000", light="#fff")
    short = escape(link.partition("://")[2].partition("?")[0])
    alt = escape(tr("QR code of {address}", address=link), quote=True)
    st.html(
        f'<div class="rx-invitation"><div><p>{escape(tr("Open"))} <b>{short}</b></p>'
        f'<p class="rx-code" aria-label="{" ".join(code)}">{code}</p></div>'
        f'<img src="{picture}" alt="{alt}"></div>'
    )
    if str(st.get_option("server.address") or "") in _HERE_ALONE[:-1]:
        st.caption(
            tr("This server answers on this machine alone: start it with `--server.address 0.0.0.0` for a class.")
        )

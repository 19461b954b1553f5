"""Where the server's secrets name an OpenID provider, no page does anything for who is not logged in."""

import pytest
from streamlit.testing.v1 import AppTest

from explorer.ui import router

_SECRETS = {"auth": {"redirect_uri": "https://x.example/oauth2callback", "cookie_secret": "0" * 32, "client_id": "x"}}


def _app(user: dict[str, object] | None = None) -> AppTest:
    app = AppTest.from_file(router.__file__, default_timeout=60)
    app.secrets = dict(_SECRETS)
    app.user = user if user is not None else {"is_logged_in": False}
    return app


@pytest.mark.threat("Strangers come in")
def test_a_stranger_sees_a_login_and_nothing_else() -> None:
    app = _app().run()
    assert not app.exception
    assert [button.key for button in app.main.button] == ["login-in"]
    assert [title.value for title in app.title] == ["Residual Explorer"]
    assert not app.main.get("bidi_component")


def test_a_member_sees_the_page_and_may_leave() -> None:
    app = _app({"is_logged_in": True, "email": "member@x.example"}).run()
    assert not app.exception
    assert "login-out" in [button.key for button in app.sidebar.button]
    assert "race-start" in [button.key for button in app.main.button]


def test_without_such_secrets_everybody_comes_in() -> None:
    app = AppTest.from_file(router.__file__, default_timeout=60).run()
    assert not app.exception
    assert "login-in" not in [button.key for button in app.button]

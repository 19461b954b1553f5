"""Who may come in: everybody, or, where the server's secrets name an OpenID provider, who is logged in there."""

import streamlit as st

from explorer.language import tr


def gate() -> None:
    """End the script here, before it shows or does anything, unless its visitor may come in."""
    if not is_required():
        return
    if st.user.is_logged_in:
        st.sidebar.button(tr("Log out"), icon=":material/logout:", on_click=st.logout, key="login-out")
        return
    st.title("Residual Explorer", anchor=False)
    st.markdown(tr("This server is for members: log in to go on."))
    st.button(tr("Log in"), icon=":material/login:", type="primary", on_click=st.login, key="login-in")
    st.stop()


def is_required() -> bool:
    """Whether this server is for those alone who log in."""
    return st.secrets.load_if_toml_exists() and "auth" in st.secrets

"""The script that runs for every visitor: page config, navigation, the chosen page; nothing else."""

from pathlib import Path

import streamlit as st

from explorer.ui import appearance, keyboard, languages, login, present, server, sitemap

MARK = Path(__file__).with_name("mark.svg")  # our own file: those of Streamlit come from the net
LOGO = Path(__file__).with_name("logo.svg")


def main() -> None:
    """Run the page that the address asks for."""
    st.set_page_config(page_title="Residual Explorer", page_icon=MARK, layout="wide")
    languages.switch()
    appearance.follow()
    present.switch()
    keyboard.listen()
    st.logo(LOGO, icon_image=MARK, size="large")
    page = st.navigation(sitemap.sections(), expanded=True)
    try:
        login.gate()
        page.run()
    finally:  # st.stop and st.rerun leave by exceptions
        server.first_run_done.set()


if __name__ == "__main__":
    main()

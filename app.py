"""Residual Explorer: `streamlit run app.py`, or `python app.py`.

Streamlit takes a folder `pages/` beside the script that it runs for its old multipage form, in which the
first visitor of a fresh server gets past that script. So it runs `explorer/ui/router.py`, beside which no
such folder lies; this file says how that script is served.
"""

import streamlit as st

from explorer.ui import router, server

app = st.App(router.__file__, routes=server.routes(), lifespan=server.lifespan, on_script_error=server.on_script_error)

if __name__ == "__main__":
    if st.runtime.exists():  # run as a script, which is what AppTest.from_file("app.py") does
        router.main()
    else:
        app.run()

"""What in an image counted, for a plain and for a residual network?"""

import streamlit as st

from explorer.language import tr
from explorer.ui import attributions, frame

frame.begin(tr("Attributions"), tr("What in an image counted for each network?"))
with frame.errors_in_place():
    attributions.panel()
st.caption(
    tr(
        "Both networks get the same image and share one colour scale in each row, its sign kept. A map tells what "
        "moved this network's score, not what is true of the image; methods disagree, and a small map is shown small."
    )
)

"""Are residual functions close to zero? (Section 4.2, Figure 7)"""

import streamlit as st

from explorer.language import tr
from explorer.ui import frame, responses

frame.begin(tr("Layer responses"), tr("Do residual layers change the signal less than plain ones?"))
with frame.errors_in_place():
    responses.panel()
st.caption(
    tr(
        "A layer's response is the output of its 3×3 convolution after batch normalisation and before the "
        "nonlinearity; the figure shows its standard deviation over images, channels and places. Before training BN "
        "makes every response 1 in both families, so a value near 1 says nothing yet: γ starts at 1 and a brief run "
        "barely moves it."
    )
)

"""What does the shortcut change, and what not? (Section 3, Figures 2, 3 and 5, Table 1)"""

from explorer.language import tr
from explorer.ui import address, architecture, frame

frame.begin(tr("Architecture"), tr("What does a shortcut change, and what does it leave alone?"))
tabs = address.tabs({"build": tr("Build a network"), "table-1": tr("Figure 3 and Table 1")})
for name, panel in (("build", architecture.build), ("table-1", architecture.table_1)):
    if tabs[name].open:
        with tabs[name], frame.errors_in_place():
            panel()

"""Why does a shortcut help? Three small experiments that answer at once."""

from explorer.language import tr
from explorer.ui import address, frame, sitemap, toys

frame.begin(tr("Toys"), tr("Why does a shortcut help?"))
tabs = address.tabs(
    {
        "linear": tr("Deep linear networks"),
        "shattered": tr("Shattered gradients"),
        "signal": tr("Signal and shortcut"),
    }
)
for name, panel in (("linear", toys.deep_linear), ("shattered", toys.shattering), ("signal", toys.propagation)):
    if tabs[name].open:
        with tabs[name], frame.errors_in_place():
            panel()
sitemap.link("responses", tr("What layers do in trained networks: Layer responses"))

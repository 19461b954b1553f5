"""Why does a shortcut help? Three small experiments that answer at once."""

from explorer.ui import address, frame, sitemap, toys

frame.begin("Toys", "Why does a shortcut help?")
tabs = address.tabs(
    {"linear": "Deep linear networks", "shattered": "Shattered gradients", "signal": "Signal and shortcut"}
)
for name, panel in (("linear", toys.deep_linear), ("shattered", toys.shattering), ("signal", toys.propagation)):
    if tabs[name].open:
        with tabs[name], frame.errors_in_place():
            panel()
sitemap.link("responses", "What layers do in trained networks: Layer responses")

"""Every network that was trained here or came recorded: compare, rename, export, delete."""

from explorer.language import tr
from explorer.ui import frame, run_table

frame.begin(tr("Runs"), tr("What has been trained?"))
with frame.errors_in_place():
    run_table.panel()

"""Element specs of our own on SpiffWorkflow's core, one module per family. They hold no state: instances share them."""

"""A retrieval-augmented helpdesk over the on-call handbook: the example that the demo measures."""

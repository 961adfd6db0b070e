"""One writer a source: the simulated world's truth in that publisher's layouts and encodings."""

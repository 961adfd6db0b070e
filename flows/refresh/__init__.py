"""One refresh: from raw files to a published release."""

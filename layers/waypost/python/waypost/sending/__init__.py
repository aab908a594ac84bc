"""Whether, when and how a message goes out: guards, ledger and channels."""

"""The guards, a module each: the rule, the occasions it judges and its section of sending.yaml. Asked by the sender."""

"""How a contact moves through a journey: manifests, enrolments, pauses and exits."""

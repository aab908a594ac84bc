"""What authors write, checked and published: journeys, rules, messages. Used at synth and by tests, never shipped."""

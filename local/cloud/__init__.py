"""The embedded cloud: the synthesized template on this machine, with MiniStack, virtual time and workers of its own."""

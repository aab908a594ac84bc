"""Calls to the outside world over HTTPS, for destinations and for the providers of channels."""

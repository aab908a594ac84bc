"""The services of the engine on their ports: which collaborator gets which, for the functions and for the tests' world."""

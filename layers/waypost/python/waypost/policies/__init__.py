"""Changes of the policies of a stage, checked as the files are: the room that loads pydantic, so that sending need not."""

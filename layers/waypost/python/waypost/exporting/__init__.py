"""Writing contacts into files, in the columns in which they can be imported again."""

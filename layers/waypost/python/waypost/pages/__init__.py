"""Pages for people: templates, the one style sheet, and texts in the visitor's language. Knows no room that fills them."""

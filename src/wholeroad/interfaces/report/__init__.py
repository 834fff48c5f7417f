"""What a rehearsal says, for a person: a table in the terminal, a page, and words for both."""

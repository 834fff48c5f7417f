"""Review: labels that may be wrong, who looked at them, what they said, and what is believed then."""

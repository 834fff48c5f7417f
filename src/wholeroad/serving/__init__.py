"""A project in service: the front that answers, the office behind it, and the processes between them."""

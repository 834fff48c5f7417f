"""One case at a time: when it is due, what waits, and its truth; equal to what bulk says of all of them."""

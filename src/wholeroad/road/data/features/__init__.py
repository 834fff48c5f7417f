"""Features as known: a function of the case and of the rows known when it is decided."""

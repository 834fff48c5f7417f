"""The road, in order: brief, data, model, release, review, watch, and the loop back, refit.

Later stages may import earlier ones, never the reverse. Every stage has three rooms,
``facts.py`` (what can become true here), ``rules.py`` (pure: state and now to what should
happen) and ``work.py`` (the slow part), and more rooms named by what they do.
"""

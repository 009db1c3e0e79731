"""What the service remembers of its cards and callers: which rule a card came from, what became of it, which alerts and tokens were seen.

Promises: no patient's value is stored in clear, nothing here decides about a patient, and a store that is full, slow or gone never holds up a check: the loss is counted and told.
"""

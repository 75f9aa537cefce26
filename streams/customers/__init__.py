"""The unified customer view: who a customer is and what it is worth."""

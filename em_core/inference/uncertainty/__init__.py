"""How sure parameters are: the information of the data, and what follows for what is reported."""

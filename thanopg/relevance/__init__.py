"""How well searches find what is relevant: judged queries, measures, and the weights that do best by them."""

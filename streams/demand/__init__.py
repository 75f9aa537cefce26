"""The demand view: what orders and open opportunities ask of production, per product and month."""

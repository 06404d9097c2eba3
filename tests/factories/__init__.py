"""What tests build on: the cast (cast.py) and the public record that lets the operator offer something (ground.py)."""

"""Who may offer what, and the public record behind it.

The ground floor: imports no other floor. Start reading at organisations/, record/ and registry/, then catalogue/.
"""

"""The close

May import  charges, invoices, deposits, billing months.:every package of settlement below shares, pricing and products. Start reading at models.py, then services.py.
"""

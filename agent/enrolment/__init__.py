"""The hub's certificate authorities: who may connect as whom, and what each may read and write.

A tool for the hub's operator (`diemcau hub ...`); the daemon never imports it.
"""

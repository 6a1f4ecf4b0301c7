"""Turns a table into scores, reasons and offers; knows no one's rights."""

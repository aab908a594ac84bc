"""Personas: clusters of contacts by what they do. An optional extra that needs scikit-learn and is no part of any function.

It stands beside the layer, because scikit-learn with scipy and numpy is 210 MB and takes 1.5 s to import: more than a Lambda
layer may hold, and more than all functions together. ``python -m personas`` runs it in a container, ``waypost personas``
here.
"""

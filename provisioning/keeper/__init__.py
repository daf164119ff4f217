"""The keeper: one small process that holds secrets in its memory, for as long as somebody said, and nowhere else.

``memory`` is what it holds, ``process`` the process, ``wire`` what both ends say, ``calling`` the other end, without
Django; ``client`` is that end at the keeper of this installation.
"""

"""Acts on hosts and services that change identities or intent. See ``docs/acts.md``.

Each act is a pure plan and a function that carries the plan out. The plan holds a draft of the site as it will be, so what
people are shown (what changes, what names the old value, which exports move) is computed from the same values that are
written. ``writing.carry_out`` writes a plan only while it is still the plan of the site.
"""

"""Undo: what changes wrote is put back as a new change, after a preview, unless later changes stand on it."""

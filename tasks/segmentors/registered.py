"""Import this to have the networks in mmsegmentation's registry; configs name it.

A config's `custom_imports = {"imports": ["tasks.segmentors.registered"]}` makes its model known to
mmsegmentation's own tools as well.
"""

from tasks import mm

mm.prepare()

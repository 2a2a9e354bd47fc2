"""Kinds of the mesh's events by name, as in device/weave/mesh/README.md; the firmware itself knows only numbers."""

SCENE, POLICY, CONFIG, IDENTIFY, ALARM, PING, VISITOR, LINKS = range(1, 9)

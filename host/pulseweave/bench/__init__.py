"""The technician's bench: flash, deploy, provision, console, and boards made of the unix port."""

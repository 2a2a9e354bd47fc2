"""`pulseweave mesh`: who hears whom, asked of one node."""

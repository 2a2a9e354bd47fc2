"""The fault campaign: many small rooms of real firmware, each with everything going wrong that its seed draws."""

"""The whole chain checked from files alone: every mismatch named at once, with what mends it. Nothing is believed."""

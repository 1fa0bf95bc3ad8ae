"""What a killed run can leave behind that the next one stumbles over, mended before DVC starts."""

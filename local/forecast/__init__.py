"""What a journey will use and cost, before it is launched."""

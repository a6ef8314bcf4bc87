"""How a network is fitted: objectives, optimizer, schedules, and the loop around them."""

"""Sound and picture: the clock, the camera, every ffmpeg process, the join."""

"""What is said in a video, as captions."""

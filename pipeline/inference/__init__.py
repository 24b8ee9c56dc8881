"""The embedded engines: speech, pictures, motion and lips made on this machine, and the processes they run in."""

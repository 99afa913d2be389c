"""The codecs: encode triggers and decode events of the bus of each cloud. No I/O."""

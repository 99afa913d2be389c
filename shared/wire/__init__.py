"""The codecs: how triggers and the news about trainings look on each cloud's bus. Pure, without input or output."""

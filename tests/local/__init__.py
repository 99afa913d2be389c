"""Tests of the fourth cloud: real files, real processes, real crashes."""

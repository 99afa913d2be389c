"""Tests of the AWS cloud."""

"""Messages to people, through Apprise: e-mail, Slack, Teams, Discord, MQTT and the rest, on every cloud."""

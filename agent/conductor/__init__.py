"""The hub's program: it runs meetings of many rooms, as an MQTT operator like any other."""

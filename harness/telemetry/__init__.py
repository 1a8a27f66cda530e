"""What a run tells of itself while it goes: one event at a time, to files and, when asked, to OpenTelemetry."""

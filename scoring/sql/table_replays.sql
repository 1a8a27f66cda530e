SELECT * FROM replays

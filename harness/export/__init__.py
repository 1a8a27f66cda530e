"""Export: recorded episodes as a training set, as ATIF documents or as logs that Inspect's viewer opens."""

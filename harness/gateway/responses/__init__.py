"""OpenAI's Responses, the third wire format of the gateway: shapes of a request, its reader, the answer's writer."""

"""What the API's and the events' functions share."""

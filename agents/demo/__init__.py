"""The demo: a small world on loopback, in which the real program runs over compressed days.

story       the days as data (deploy/demo/story.yaml) and what must be told on each
dress       policy text → the ordinary page of a site around it
site        pages and feeds over HTTP, as of a day
blockkit    what Slack's API would refuse
receivers   a webhook receiver, a mail server and a stand-in for Slack's API, which keep what they take
world       all of it together, with its clock and its configuration
verdict     what was delivered against what had to be
show        what the person at the terminal sees
"""

"""The demo: a small world on loopback, in which the real program runs over compressed days.

story       the days as data (deploy/demo/story.yaml) and what must be told on each
dress       policy text → the ordinary page of a site around it
feeds       news items as RSS and Atom
site        pages and feeds over HTTP, as of a day
blockkit    what Slack's API would refuse
inbox       what arrived
receivers   a webhook receiver, a mail server and a stand-in for Slack's API
world       all of it together, with its clock and its configuration
verdict     what was delivered against what had to be
show        what the person at the terminal sees
play        the days, one after the other, with the real program in the middle
"""

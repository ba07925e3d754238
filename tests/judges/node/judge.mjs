// The judges that exist only on npm. `node judge.mjs NAME` reads a JSON array and writes an array of faults.
import { readFileSync } from "node:fs";

const given = JSON.parse(readFileSync(0, "utf8"));

// Each post carries the receiver's secret and whether the receiver is to accept it.
function misjudged(Webhook, posts) {
  const faults = [];
  for (const post of posts) {
    let accepted = true;
    try {
      new Webhook(post.secret).verify(post.body, post.headers);
    } catch (error) {
      if (!/Verification/.test(error.constructor.name) && !(error instanceof SyntaxError)) throw error;
      accepted = false;
    }
    if (accepted !== post.good) faults.push(`${post.name}: ${accepted ? "accepted" : "refused"}`);
  }
  return faults;
}

const judges = {
  async standardwebhooks(posts) {
    const { Webhook } = await import("standardwebhooks");
    return misjudged(Webhook, posts);
  },

  async svix(posts) {
    const { Webhook } = await import("svix");
    return misjudged(Webhook, posts);
  },

  // Strict twice: as the HTTP binding takes the request apart, and from the bare document.
  async cloudevents(posts) {
    const { CloudEvent, HTTP } = await import("cloudevents");
    const faults = [];
    for (const post of posts) {
      try {
        const request = { headers: { "content-type": post.type }, body: post.body };
        if (!HTTP.isEvent(request)) throw new Error("is no CloudEvent to the HTTP binding");
        const event = HTTP.toEvent(request);
        event.validate();
        const bare = new CloudEvent(JSON.parse(post.body), true);
        if (bare.id !== event.id || event.data === undefined) throw new Error("loses its id or its data");
      } catch (error) {
        const why = (error.errors ?? []).map((one) => `${one.instancePath} ${one.message}`).join("; ");
        faults.push(`${post.name}: ${error.message} ${why}`.trim());
      }
    }
    return faults;
  },

  // One client at a time, because a feature that caniemail has no data on ends its run.
  async caniemail(mails) {
    const { caniemail } = await import("caniemail");
    const found = new Map();
    for (const { name, html, clients } of mails)
      for (const client of clients)
        for (const issues of caniemail({ clients: [client], html }).issues.errors.values())
          for (const { title } of issues) {
            const at = found.get(title) ?? { title, clients: new Set(), mails: new Set() };
            at.clients.add(client);
            at.mails.add(name);
            found.set(title, at);
          }
    return [...found.values()].map(({ title, clients, mails }) => ({
      title,
      clients: [...clients],
      mails: [...mails],
    }));
  },
};

process.stdout.write(JSON.stringify(await judges[process.argv[2]](given)));

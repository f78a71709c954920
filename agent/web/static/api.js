// Requests to the server. What it refuses comes as a sentence in `detail`.

const ROOT = "/api/v1";

export const url = (path) => ROOT + path;

export const thumbnail = (video, time, { exact = false, width = 320 } = {}) =>
  url(`/videos/${video}/thumbnail?t=${Math.max(0, time).toFixed(3)}&exact=${exact}&width=${width}`);

async function checked(asking) {
  let reply;
  try {
    reply = await asking;
  } catch {
    throw new Error("The server does not answer. Is `whenabouts serve` still running? Nothing that it finished is lost.");
  }
  if (reply.ok) return reply;
  let detail = `The server answered ${reply.status}.`;
  try {
    detail = (await reply.json()).detail;
  } catch { /* No JSON: the status has to do. */ }
  throw new Error(detail);
}

export const get = async (path) => (await checked(fetch(url(path)))).json();

export const send = async (method, path, body) =>
  (await checked(fetch(url(path), { method, headers: { "content-type": "application/json" }, body: JSON.stringify(body) }))).json();

// Sends a file and tells how far it is; fetch cannot tell that of what it sends.
export function upload(file, onProgress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", url(`/videos?name=${encodeURIComponent(file.name)}`));
    request.upload.onprogress = (event) => event.lengthComputable && onProgress(event.loaded / event.total);
    request.onload = () => {
      let told = {};
      try { told = JSON.parse(request.responseText); } catch { /* Told below. */ }
      if (request.status === 201) resolve(told);
      else reject(new Error(told.detail ?? `The server answered ${request.status}.`));
    };
    request.onerror = () => reject(new Error("The upload broke off: the server refused it or has stopped. Send the file again."));
    request.send(file);
  });
}

// Server-sent events of a POST, as they come: [name, values].
export async function* events(path, body, signal) {
  const reply = await checked(fetch(url(path), {
    method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body), signal,
  }));
  const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    text += value;
    const blocks = text.split(/\r?\n\r?\n/);
    text = blocks.pop();
    for (const block of blocks) {
      const field = (name) => block.split(/\r?\n/).filter((line) => line.startsWith(`${name}: `)).map((line) => line.slice(name.length + 2)).join("\n");
      if (field("data")) yield [field("event"), JSON.parse(field("data"))];
    }
  }
}

// Follows a job by its events, until `onJob` returns false; returns how to stop following.
export function follow(name, path, onJob, onLost) {
  const source = new EventSource(url(path));
  source.addEventListener(name, (event) => { if (!onJob(JSON.parse(event.data))) source.close(); });
  source.addEventListener("fault", (event) => { source.close(); onLost(JSON.parse(event.data).detail); });
  // The browser asks again by itself, until the server is there.
  source.addEventListener("error", () => onLost("The server does not answer. What it finished is kept; start it again, and it goes on."));
  return () => source.close();
}

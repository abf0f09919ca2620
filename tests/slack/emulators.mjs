// One Node process for a whole test run: each workspace gets an emulator of its own in it, at a port of its own. Starting
// Node and loading the package takes 0.4 s of a core, an emulator in here a few milliseconds.
//
// `node emulators.mjs API_JS` prints the port it is told at. A POST with a seed answers {"port"}, or 500 with what emulate
// says; a DELETE of /PORT ends that emulator. The process ends when its parent does, however that ends: its standard input
// closes.
import { once } from "node:events";
import { createServer, Server } from "node:net";
import http from "node:http";
import { pathToFileURL } from "node:url";

process.stdin.on("end", () => process.exit(0));
process.stdin.resume();

// emulate 0.11.2 has no host option and listens on every interface; a test server stays on loopback.
const listen = Server.prototype.listen;
const servers = new Map(); // port -> the server, and the promise that it listens
Server.prototype.listen = function listenOnLoopback(port, ...rest) {
  if (port) servers.set(port, { server: this, listening: once(this, "listening") });
  const callbacks = rest.filter((argument) => typeof argument === "function");
  return listen.call(this, { port, host: "127.0.0.1" }, ...callbacks);
};

const { createEmulator } = await import(pathToFileURL(process.argv[2]));

async function freePort() {
  const probe = createServer().listen(0);
  await once(probe, "listening");
  const { port } = probe.address();
  probe.close();
  await once(probe, "close");
  return port;
}

async function open(seed, attempts = 3) {
  const port = await freePort(); // which somebody else may take before the emulator does
  await createEmulator({ service: "slack", port, seed, baseUrl: `http://127.0.0.1:${port}` });
  try {
    await servers.get(port).listening;
  } catch (error) {
    servers.delete(port);
    if (attempts === 1) throw error;
    return open(seed, attempts - 1);
  }
  return port;
}

function close(port) {
  const { server } = servers.get(port);
  servers.delete(port);
  server.close();
  server.closeAllConnections(); // nothing of it is kept
}

async function told(request) {
  if (request.method === "DELETE") return close(Number(request.url.slice(1)));
  let body = "";
  for await (const part of request) body += part;
  return { port: await open(JSON.parse(body)) };
}

const control = http.createServer((request, response) => {
  told(request).then(
    (answer) => response.end(JSON.stringify(answer ?? {})),
    (error) => response.writeHead(500).end(error.stack),
  );
});
await once(control.listen(0), "listening");
console.log(control.address().port);

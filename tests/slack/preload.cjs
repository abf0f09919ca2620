// Loaded into the emulator by `node --require`. emulate 0.11.2 has no host option and listens on every interface;
// a test server stays on loopback. It also ends when its parent does, however that ends: its standard input closes.
"use strict";
const net = require("node:net");

const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function listenOnLoopback(port, ...rest) {
  const callbacks = rest.filter((argument) => typeof argument === "function");
  return listen.call(this, { port, host: "127.0.0.1" }, ...callbacks);
};

process.stdin.on("end", () => process.exit(0));
process.stdin.resume();

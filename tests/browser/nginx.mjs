// A real nginx that holds streams back, in a folder that disappears.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { access, mkdtemp, rm, writeFile } from "node:fs/promises";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A port that nobody has at the moment. */
async function freePort() {
  const server = net.createServer();
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

/** An nginx before this address that ignores `X-Accel-Buffering`, and has buffers that no test fills. By HTTP/1.1 it would
    pass on each chunk. */
export async function bufferingNginx(url) {
  const folder = await mkdtemp(join(tmpdir(), "process-nginx-")), port = await freePort();
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${folder}/${name};`);
  await writeFile(join(folder, "nginx.conf"), `
    daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/error.log;
    events {}
    http {
      access_log off; ${temporary.join(" ")}
      server {
        listen 127.0.0.1:${port};
        location / {
          proxy_pass ${url}; proxy_set_header Host $http_host; proxy_http_version 1.0;
          proxy_buffering on; proxy_buffers 64 64k; proxy_buffer_size 64k; proxy_busy_buffers_size 128k; proxy_ignore_headers X-Accel-Buffering;
        }
      }
    }`);
  const path = `${process.env.PATH}:/usr/sbin`;
  const nginx = spawn("nginx", ["-p", folder, "-c", join(folder, "nginx.conf")], { env: { ...process.env, PATH: path }, stdio: "ignore" });
  process.once("exit", () => nginx.kill("SIGKILL"));
  const ended = once(nginx, "exit");
  // It writes this once it listens.
  for (let tries = 0; tries < 500 && nginx.exitCode === null; tries += 1) {
    if (await access(join(folder, "pid")).then(() => true, () => false)) break;
    await new Promise((wake) => { setTimeout(wake, 10); });
  }
  return {
    url: `http://127.0.0.1:${port}/`,
    async close() {
      nginx.kill("SIGKILL");
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

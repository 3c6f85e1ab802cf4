/** What Chromium's renderer processes take, on Linux. */

import { readdirSync, readFileSync } from "node:fs";

/** Bytes that the renderers started by this process take now. */
export function rendererBytes() {
  const parents = new Map();
  for (const name of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    const status = read(name, "status");
    if (status) parents.set(Number(name), Number(status.match(/^PPid:\s+(\d+)/m)[1]));
  }
  const ours = (pid) => pid === process.pid || (parents.has(pid) && ours(parents.get(pid)));
  let sum = 0;
  for (const pid of parents.keys()) {
    if (!ours(pid) || !read(pid, "cmdline").includes("--type=renderer")) continue;
    sum += 1024 * Number(read(pid, "smaps_rollup").match(/^Pss:\s+(\d+)/m)?.[1] ?? 0);
  }
  return sum;
}

/** A file of a process, or nothing where it has ended. */
function read(pid, name) {
  try {
    return readFileSync(`/proc/${pid}/${name}`, "utf8");
  } catch {
    return "";
  }
}

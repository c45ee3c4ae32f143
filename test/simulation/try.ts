import { runSeed } from './run.ts';
Error.stackTraceLimit = Number(process.argv[3] ?? 1) === 1 ? 30 : 0;
const from = Number(process.argv[2] ?? 1), n = Number(process.argv[3] ?? 1), mode = process.argv[4] ?? 'none';
const t = process.cpuUsage();
let events = 0, epochs = 0, bad = 0, virt = 0;
for (let seed = from; seed < from + n; seed++) {
  const out = await runSeed(seed, { history: n === 1, ...(mode === 'none' ? { faults: () => undefined } : {}) });
  events += out.events; epochs += out.epochs; virt += out.virtualMs;
  if (n === 1) for (const line of out.history) console.log(line);
  if (out.violations.length) { bad++; console.log(seed, out.injected.length, out.violations.map((v) => `${v.invariant}: ${v.message.slice(0, 400)}`).join('\n   ')); }
}
const u = process.cpuUsage(t);
console.log(JSON.stringify({ cpuMs: Math.round((u.user + u.system) / 1000), events, epochs, bad, virt: virt / n }));

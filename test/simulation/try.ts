import { drawWorld } from './draw.ts';
import { World } from './world.ts';
const from = Number(process.argv[2] ?? 1), n = Number(process.argv[3] ?? 1), mode = process.argv[4] ?? 'none';
const t = performance.now();
let events = 0, epochs = 0, bad = 0, virt = 0;
for (let seed = from; seed < from + n; seed++) {
  const out = await new World(drawWorld(seed, { history: n === 1, ...(mode === 'none' ? { faults: () => undefined } : {}) })).run();
  events += out.events; epochs += out.epochs; virt += out.virtualMs;
  if (n === 1) for (const line of out.history) console.log(line);
  if (out.violations.length) { bad++; console.log(seed, out.injected.length, out.violations.map((v) => `${v.invariant}: ${v.message.slice(0, 400)}`).join('\n   ')); }
}
console.log({ ms: Math.round(performance.now() - t), events, epochs, bad, virt: virt / n });

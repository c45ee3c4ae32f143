/**
 * Where the time of a CPU profile went: `node bench/profile.ts <file.cpuprofile> [functions, default 30]`.
 * Self time of each function, most first, as a part of the time in which the process did anything.
 */
import { readFileSync } from 'node:fs';

interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

const [file, most = '30'] = process.argv.slice(2);
if (file === undefined) {
  console.error('usage: node bench/profile.ts <file.cpuprofile> [functions]');
  process.exit(2);
}
const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(file, 'utf8')) as CpuProfile;
const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
const selfUs = new Map<string, number>();
samples.forEach((id, index) => {
  const name = names.get(id) ?? '?';
  selfUs.set(name, (selfUs.get(name) ?? 0) + (timeDeltas[index] ?? 0));
});
const idleUs = selfUs.get('(idle)') ?? 0;
const allUs = [...selfUs.values()].reduce((sum, us) => sum + us, 0);
const busyUs = Math.max(1, allUs - idleUs);
console.log(`${(allUs / 1e6).toFixed(1)} s, of which ${(busyUs / 1e6).toFixed(1)} s busy`);
selfUs.delete('(idle)');
for (const [name, us] of [...selfUs].sort(([, a], [, b]) => b - a).slice(0, Number(most)))
  console.log(`${((us / busyUs) * 100).toFixed(1).padStart(5)} % ${(us / 1e3).toFixed(0).padStart(7)} ms  ${name}`);

function nameOf({ functionName, url, lineNumber }: CpuProfile['nodes'][number]['callFrame']): string {
  const name = functionName || '(anonymous)';
  return url === '' ? name : `${name}  ${url.split('/').slice(-3).join('/')}:${lineNumber + 1}`;
}

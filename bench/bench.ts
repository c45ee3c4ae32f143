/** `npm run bench`: see bench/harness/usage.ts and bench/README.md. */
import { randomBytes } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UsageError } from '../lib/config/usage-error.ts';
import { folderIn, runCommand } from '../local/command.ts';
import { createTopics, deleteTopics } from '../local/stack/kafka-admin.ts';
import { type Arena, openArena, type Program } from './harness/arena.ts';
import { chartOf } from './harness/chart.ts';
import { describeMachine, load, type Machine } from './harness/machine.ts';
import { drainMode } from './harness/modes/drain.ts';
import { largeStateMode } from './harness/modes/large-state.ts';
import { latencyMode } from './harness/modes/latency.ts';
import { recoveryMode } from './harness/modes/recovery.ts';
import { trickleMode } from './harness/modes/trickle.ts';
import { FLAGS, type Mode, type Options, readOptions } from './harness/options.ts';
import { peerNamed } from './harness/peers.ts';
import { endProbes, startProbe } from './harness/probe.ts';
import { functionsOf, nameProfiles } from './harness/profiles.ts';
import { appendResult, type RunResult, readResults } from './harness/results.ts';
import type { ModeOf } from './harness/run.ts';
import { tableOf } from './harness/table.ts';
import { inTurn } from './harness/turns.ts';
import { USAGE } from './harness/usage.ts';

const RESULTS = fileURLToPath(new URL('../.onceflow/bench-results/', import.meta.url));
const SEED = 7;
/** Of the check: it holds every key of the input. */
const CHECK_HEAP = '3g';
/** Above it other work takes a part of the cores. */
const QUIET_LOAD = 0.5;

const ownInputModes: Readonly<Record<Exclude<Mode, 'drain'>, readonly ModeOf[]>> = {
  latency: [latencyMode],
  recovery: [recoveryMode],
  trickle: [trickleMode],
  'large-state': [largeStateMode(0), largeStateMode(1)],
};

await runCommand({ name: 'npm run bench', usage: USAGE, options: FLAGS, positionals: true }, async (flags, modes) => {
  const options = readOptions(flags, modes);
  for (const name of options.peers ?? []) peerNamed(name, options, '');
  if (!existsSync('/proc/self/stat')) throw new UsageError('it reads CPU time and memory from /proc, so it runs on Linux only');
  const { from } = options;
  if (from !== undefined && !existsSync(from)) throw new UsageError(`--from is ${JSON.stringify(from)}: there is no such file`);
  const file = resolve(from ?? options.results ?? join(RESULTS, `${new Date().toISOString().replaceAll(/[:.]/g, '-')}.jsonl`));
  const drawing = resolve(options.draw ?? file.replace(/(\.jsonl)?$/, '.svg'));
  folderIn('results', dirname(file));
  folderIn('draw', dirname(drawing));
  const ok = from !== undefined || (await measureAll(options, file));
  const results = readResults(file);
  console.log(`\n${tableOf(results)}\n`);
  writeFileSync(drawing, chartOf(results));
  console.log(`runs: ${file}\nchart: ${drawing}`);
  process.exit(ok ? 0 : 1);
});

async function measureAll(options: Options, file: string): Promise<boolean> {
  const machine = describeMachine();
  if (load() > QUIET_LOAD) say(`the load average is ${load()}: other work runs here, so the figures are not worth much`);
  const arena = await openArena();
  // What was started ends with this process.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));
  let ok = true;
  try {
    for (const mode of options.modes) {
      const { variants, input } = await prepare(arena, mode, options);
      for (const turn of turnsOf(variants, options)) {
        const result = await measureOne({ arena, mode, options, input, machine, ...turn });
        appendResult(file, result);
        if (result.error !== undefined || !result.exact) ok = false;
      }
      if (input !== undefined) await deleteTopics(arena.bootstrap, [input]);
    }
  } finally {
    await arena.close();
  }
  return ok;
}

interface Turn {
  readonly variant: ModeOf;
  readonly peer: string;
  readonly run: number;
}

function turnsOf(variants: readonly ModeOf[], { runs, peers }: Options): Turn[] {
  const round = variants.flatMap((variant) => (peers ?? variant.peers).map((peer) => ({ variant, peer })));
  return inTurn(round, runs);
}

interface Prepared {
  readonly variants: readonly ModeOf[];
  /** What every run of the mode reads; undefined: each run has an input of its own. */
  readonly input: string | undefined;
}

async function prepare(arena: Arena, mode: Mode, options: Options): Promise<Prepared> {
  if (mode !== 'drain') return { variants: ownInputModes[mode], input: undefined };
  const { lines, shape, partitions } = options;
  const input = `bench-${shape}-${lines}`;
  await createTopics(arena.bootstrap, [{ topic: input, partitions }]);
  say(`loading ${lines} lines (${shape}) into ${partitions} partitions`);
  const loading = startProbe(['load', arena.bootstrap, input, shape, SEED, lines]);
  const progress = setInterval(() => say(`  ${loading.said.at(-1)?.['lines'] ?? 0} lines`), 5_000);
  const { records } = await loading.done.finally(() => clearInterval(progress));
  return { variants: [drainMode(Number(records))], input };
}

interface One extends Turn {
  readonly arena: Arena;
  readonly mode: Mode;
  readonly options: Options;
  readonly input: string | undefined;
  readonly machine: Machine;
}

async function measureOne({ arena, mode, variant, options, peer: given, run, input: shared, machine }: One): Promise<RunResult> {
  const peer = peerNamed(given, options, arena.work);
  const title = `${mode} ${run}/${options.runs}, ${peer.name}`;
  const id = `${peer.name}-${mode}-${randomBytes(3).toString('hex')}`;
  const input = shared ?? `${id}-in`;
  const output = `${id}-out`;
  const own = [output, ...(shared === undefined ? [input] : [])];
  const intervalMs = options.intervalMs ?? variant.intervalMs;
  const before = load();
  const known = { mode, peer: peer.name, setting: { ...variant.setting(options), intervalMs }, at: new Date().toISOString(), machine };
  say(`${title}: starting (load ${before})`);
  arena.clear();
  await createTopics(
    arena.bootstrap,
    own.map((topic) => ({ topic, partitions: options.partitions })),
  );
  const profiles = options.profiles === undefined ? undefined : resolve(options.profiles);
  let program: Program | undefined;
  const stop = async () => {
    if (program === undefined) return;
    const functions = functionsOf(program.session);
    await program.stop();
    if (profiles !== undefined) for (const file of nameProfiles(profiles, id, functions)) say(`  profile: ${file}`);
  };
  try {
    const { metrics, details } = await variant.measure({
      arena,
      peer,
      options,
      id,
      input,
      output,
      intervalMs,
      async start(again = {}) {
        program = await arena.start(peer, { id, input, output, intervalMs, profiles, ...again });
        return program;
      },
    });
    await stop();
    const after = load();
    say(
      `${title}: ${Object.entries(metrics)
        .slice(0, 3)
        .map(([name, value]) => `${name} ${Math.round(value * 100) / 100}`)
        .join(', ')}; checking`,
    );
    const { exact, ...check } = await startProbe(['verify', arena.bootstrap, input, output, variant.shape(options)], { heap: CHECK_HEAP })
      .done;
    say(`${title}: ${exact === true ? 'exact' : `NOT EXACT: ${JSON.stringify(check)}`}`);
    return { ...known, load: [before, after], exact: exact === true, check, metrics, details };
  } catch (error) {
    say(`${title}: FAILED: ${messageOf(error)}`);
    return { ...known, load: [before, load()], exact: false, check: undefined, metrics: {}, error: messageOf(error) };
  } finally {
    endProbes();
    await stop();
    await deleteTopics(arena.bootstrap, own);
  }
}

function say(line: string): void {
  console.error(`${new Date().toISOString().slice(11, 19)} ${line}`);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

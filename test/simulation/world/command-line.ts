import { LeftToNextError, SupersededError } from '../../../lib/epoch/coordinator/context.ts';
import type { JobRow } from '../../../lib/ports/epoch-store.ts';
import { KafkaProblem } from '../../../lib/ports/kafka-requests.ts';
import { StoreProblem } from '../../../lib/ports/store-problem.ts';
import { COMMAND_CONFIG, type Command, runCommand } from '../commands.ts';
import { SimProcess } from '../kernel/process.ts';
import { modelJobRemoval } from '../models/epoch-store.ts';
import { actOnSavepoint, type SavepointAct } from '../savepoints.ts';
import { JOB } from '../sim-job.ts';
import type { World } from '../world.ts';
import { checkClosed, isOwn, isRightStop } from './ends.ts';
import { carryOf, portsOf } from './ports.ts';

/*
 * People who run `npx onceflow`, each time in a process of its own.
 */

const MAX_COMMANDS = 4;
const LEFT_ALONE_MS = [300, 30_000] as const;

/** Somebody stops, cancels or deletes the job. */
export function startCommand(world: World, command: Command): SimProcess | undefined {
  if (world.commands.length >= MAX_COMMANDS) return undefined;
  const { scheduler, table, checker, options } = world;
  const name = `command#${world.commands.length + 1}`;
  const process = new SimProcess(name, 'command', world.build, world.newClock(name));
  world.commands.push(process);
  if (command === 'delete') world.deletions.push(process);
  world.leftAloneUntilMs = scheduler.nowMs + world.dice.spread(...(options.leftAloneMs ?? LEFT_ALONE_MS));
  world.trace(name, () => `onceflow ${command}`);
  const ports = portsOf(world, process);
  const began = { ms: scheduler.nowMs, incarnation: table.row(JOB)?.incarnation };
  let taken: JobRow | undefined;
  const isHolder = () => {
    const row = table.row(JOB);
    return row !== undefined && taken !== undefined && isOwn(taken, row);
  };
  const end = (outcome: string) => {
    world.trace(name, () => `* ended: ${outcome}`);
    world.commandEnds.push({ command, outcome });
    process.alive = false;
  };
  const tools = {
    ...ports,
    config: COMMAND_CONFIG,
    job: JOB,
    epochs: {
      ...ports.epochs,
      reviveGeneration: async (...of: Parameters<typeof ports.epochs.reviveGeneration>) => {
        const revived = await ports.epochs.reviveGeneration(...of);
        taken = revived ?? taken;
        return revived;
      },
    },
    removal: modelJobRemoval(table, carryOf(world, process, 'table')),
    kafka: async () => ports.kafka,
    blobStore: async () => ports.blobStore,
    targets: ports.targets,
    code: async () =>
      world.targets.bound(options.job.define(world.build, options.startingOffsets, world.code), carryOf(world, process, 'target')),
    say: (line: string) => world.trace(name, () => `* ${line}`),
  };
  runCommand(command, tools, new AbortController().signal).then(
    ({ code, json }) => {
      if (!process.alive) return;
      end((json as { readonly outcome?: string }).outcome ?? `exit code ${code}`);
      if (code === 0) checkPromise(world, `onceflow ${command} (${name})`, began.ms, began.incarnation);
    },
    (error: unknown) => {
      if (!process.alive) return;
      const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
      end(error instanceof Error ? error.name : text);
      const mayBe =
        error instanceof SupersededError ||
        error instanceof LeftToNextError ||
        ((error instanceof StoreProblem || error instanceof KafkaProblem) && error.retriable);
      if (!mayBe && isHolder() && !isRightStop(world, name, text, began.ms)) checker.fail('I6', `onceflow ${command} failed: ${text}`);
    },
  );
  return process;
}

/** What a command promises that ended well. */
function checkPromise(world: World, what: string, beganMs: number, incarnation: string | undefined): void {
  if (incarnation !== undefined) checkClosed(world, incarnation, beganMs, what);
  const row = world.table.row(JOB);
  if (row === undefined || row.leaseExpiresAtMs === 0) world.checker.checkAtRest(what);
}

/** Somebody makes a savepoint or deletes one. */
export function keepSavepoint(world: World, does: Exclude<SavepointAct['does'], 'start'>, savepoint: string): SimProcess {
  const name = `savepoint#${world.keepers.length + 1}`;
  const process = new SimProcess(name, 'command', world.build, world.newClock(name));
  world.keepers.push(process);
  world.trace(name, () => `onceflow savepoint ${does} ${savepoint}`);
  const end = (outcome: string) => {
    if (!process.alive) return;
    process.alive = false;
    world.trace(name, () => `* ended: ${outcome}`);
    world.savepointEnds.push(`${does}: ${outcome.split(' at ')[0]}`);
  };
  actOnSavepoint(portsOf(world, process), JOB, { does, name: savepoint }).then(end, (error: unknown) => {
    const mayBe = error instanceof StoreProblem && error.retriable;
    if (process.alive && !mayBe)
      world.checker.fail('I12', `savepoint ${does} ${savepoint}: ${error instanceof Error ? error.stack : error}`);
    end('no answer');
  });
  return process;
}

/** Somebody asks for other numbers of subtasks. */
export function askRescale({ table, scheduler, trace }: World, subtasks: Readonly<Record<string, number>>): void {
  const row = table.row(JOB);
  if (row === undefined) return;
  const asked = { id: `rescale at ${scheduler.nowMs}`, subtasks, askedAtMs: scheduler.nowMs };
  const answer = table.askRescale(JOB, row.incarnation, asked, row.rescale?.id);
  trace('world', () => `onceflow rescale ${JSON.stringify(subtasks)}: ${answer}`);
}

import type { Subtasks } from '../../lib/config/subtasks.ts';
import type { DeliveryGuarantee } from '../../lib/sinks/kind.ts';
import type { Command } from './commands.ts';
import { drawManifests } from './draw-manifests.ts';
import { drawPolicy, drawRescales, RESCALED_BETWEEN } from './draw-rescales.ts';
import { drawStateMemory } from './draw-state-memory.ts';
import { drawTopics } from './draw-topics.ts';
import { askingJobs } from './jobs/asking.ts';
import { branchingJobs } from './jobs/branching.ts';
import { connectedJobs } from './jobs/connected.ts';
import { fadingJobs } from './jobs/fading.ts';
import { reaching } from './jobs/reaching.ts';
import { routingJobs } from './jobs/routing.ts';
import { tableJobs } from './jobs/tables.ts';
import { alignedJobs, timedJobs } from './jobs/timed.ts';
import { windowedJobs } from './jobs/windowed.ts';
import { drawJob } from './jobs.ts';
import { Dice, hashOf } from './kernel/dice.ts';
import type { Call, Fault, FaultKind, Faults } from './kernel/faults.ts';
import { drawSavepoints } from './savepoints.ts';
import { type SimJob, shapeOf } from './sim-job.ts';
import type { InputBatch, WorldOptions } from './world-options.ts';

/** Clocks go wrong by themselves, whatever else a seed is about. */
type DrawnKind = Exclude<FaultKind, 'clock-step'>;

/** How likely each fault is at one call, before a seed scales it. */
const RATES: Readonly<Record<DrawnKind, number>> = {
  crash: 0.006,
  freeze: 0.006,
  lose: 0.02,
  late: 0.012,
  error: 0.03,
  slow: 0.015,
  twice: 0.04,
  cold: 0.05,
  'power-cut': 0.001,
  rival: 0.002,
  depose: 0.003,
  'hand-over': 0.0015,
  stop: 0.0015,
  command: 0.002,
  update: 0.0012,
  outage: 0.0012,
  partition: 0.002,
};
const KINDS = Object.keys(RATES) as DrawnKind[];

/** Calls that are made only when something went wrong already: faults are more likely there. */
const RARE = [
  'look',
  'search',
  'describeProducers',
  'recordSentAgain',
  'invoke resolve',
  'decide',
  'commit',
  'recordCommitted',
  'raiseGeneration',
  'retireThrough',
  'listEpochs',
  'delete',
  'forgetEpochs',
  'deleteEpochs',
  'deleteJob',
];

const COMMANDS: readonly Command[] = ['stop', 'cancel', 'delete'];

/**
 * What some seeds are about: histories that chance alone makes too seldom. `records`, `sources-anew`, `elections`, `reach`, `time`, `windows`,
 * `connected`, `tables`, `routing`, `starts`, `rescales` and `held` are drawn for mutants only.
 */
export type Focus =
  | 'anything'
  | 'reach'
  | 'time'
  | 'windows'
  | 'connected'
  | 'tables'
  | 'routing'
  | 'doubt'
  | 'records'
  | 'sources-anew'
  | 'elections'
  | 'starts'
  | 'rescales'
  | 'held'
  | 'garbage'
  | 'savepoints'
  | 'pipeline'
  | 'commands';

function focusOf(seed: number): Focus {
  return new Dice(hashOf(seed, 'focus')).pick([
    'anything',
    'anything',
    'anything',
    'anything',
    'anything',
    'savepoints',
    'doubt',
    'garbage',
    'pipeline',
    'commands',
  ]);
}

interface FocusedFault {
  readonly kind: DrawnKind;
  readonly apis: readonly string[];
  readonly rate: number;
}

/** Restarts, other widths and failures between what is set and what is due. */
const BETWEEN_TIMES: readonly FocusedFault[] = [
  { kind: 'crash', apis: ['decide', 'invoke process', 'invoke read', 'recordCommitted'], rate: 0.03 },
  { kind: 'hand-over', apis: ['decide', 'invoke read'], rate: 0.05 },
  { kind: 'lose', apis: ['invoke process', 'invoke read', 'invoke commit'], rate: 0.08 },
  { kind: 'twice', apis: ['invoke process', 'invoke read'], rate: 0.1 },
  { kind: 'slow', apis: ['invoke process', 'invoke read', 'invoke commit'], rate: 0.15 },
  { kind: 'cold', apis: ['invoke process'], rate: 0.2 },
];

/** Where a focus puts which faults, and how often. */
const FOCUSED: Readonly<Record<Focus, readonly FocusedFault[]>> = {
  anything: [],
  doubt: [
    { kind: 'lose', apis: ['commit', 'invoke commit', 'invoke resolve'], rate: 0.3 },
    { kind: 'twice', apis: ['invoke prepare', 'invoke resolve'], rate: 0.3 },
    { kind: 'late', apis: ['initProducerId', 'invoke prepare'], rate: 0.1 },
    { kind: 'slow', apis: ['look', 'search', 'initProducerId', 'invoke commit'], rate: 0.2 },
    { kind: 'freeze', apis: ['initProducerId', 'look', 'commit', 'recordSentAgain', 'describeProducers'], rate: 0.05 },
    { kind: 'late', apis: ['recordSentAgain'], rate: 0.2 },
    { kind: 'crash', apis: ['recordSentAgain', 'initProducerId', 'produce'], rate: 0.03 },
  ],
  // An epoch is sent again more than once, the record of the first time is late, and another coordinator goes on from the row.
  records: [
    { kind: 'late', apis: ['recordSentAgain'], rate: 0.4 },
    { kind: 'crash', apis: ['invoke commit'], rate: 0.2 },
    { kind: 'lose', apis: ['invoke commit'], rate: 0.6 },
    { kind: 'twice', apis: ['invoke prepare', 'invoke resolve'], rate: 0.7 },
  ],
  // What is uploaded and delivered meets coordinators that fall behind, functions that wake up late, and answers that are lost.
  reach: [
    { kind: 'crash', apis: ['beginUpload', 'uploadPart', 'completeUpload', 'deliver', 'recordSentAgain', 'abortUpload'], rate: 0.02 },
    { kind: 'lose', apis: ['uploadPart', 'completeUpload', 'deliver', 'sizeOf', 'invoke commit', 'invoke send'], rate: 0.1 },
    { kind: 'late', apis: ['completeUpload', 'abortUpload', 'deliver', 'invoke prepare', 'invoke send'], rate: 0.06 },
    { kind: 'twice', apis: ['invoke prepare', 'invoke resolve', 'invoke send', 'invoke commit'], rate: 0.2 },
    { kind: 'freeze', apis: ['completeUpload', 'deliver', 'openUploads', 'abortUpload', 'decide', 'isUploadOpen'], rate: 0.03 },
    { kind: 'depose', apis: ['openUploads'], rate: 0.25 },
    { kind: 'depose', apis: ['decide', 'recordCommitted'], rate: 0.03 },
    { kind: 'slow', apis: ['deliver', 'invoke commit'], rate: 0.1 },
    { kind: 'command', apis: ['decide', 'invoke commit', 'invoke send', 'recordCommitted'], rate: 0.03 },
  ],
  time: BETWEEN_TIMES,
  windows: BETWEEN_TIMES,
  connected: BETWEEN_TIMES,
  held: BETWEEN_TIMES,
  tables: BETWEEN_TIMES,
  // What one transaction wrote to several topics is in doubt, or left open.
  routing: [
    { kind: 'lose', apis: ['commit', 'invoke commit', 'produce', 'addPartitions'], rate: 0.15 },
    { kind: 'twice', apis: ['invoke prepare', 'invoke resolve'], rate: 0.3 },
    { kind: 'late', apis: ['initProducerId', 'invoke prepare', 'produce'], rate: 0.1 },
    { kind: 'freeze', apis: ['initProducerId', 'commit', 'produce'], rate: 0.05 },
    { kind: 'depose', apis: ['decide', 'invoke process'], rate: 0.03 },
  ],
  // A source topic is made anew between the plan and the fetch (draw-topics.ts).
  'sources-anew': [{ kind: 'slow', apis: ['invoke read'], rate: 0.3 }],
  // Each start is delivered twice, and coordinators change often.
  starts: [
    { kind: 'depose', apis: ['decide', 'recordCommitted', 'invoke process'], rate: 0.04 },
    { kind: 'hand-over', apis: ['decide', 'invoke read'], rate: 0.05 },
    { kind: 'slow', apis: ['raiseGeneration', 'reviveGeneration', 'startGeneration', 'readJob'], rate: 0.2 },
    { kind: 'lose', apis: ['raiseGeneration', 'reviveGeneration', 'startGeneration'], rate: 0.2 },
  ],
  // Other numbers of subtasks (draw-rescales.ts), while attempts fail in their sinks and coordinators change.
  rescales: [
    ...BETWEEN_TIMES,
    { kind: 'lose', apis: ['invoke prepare', 'widenPool'], rate: 0.15 },
    { kind: 'crash', apis: ['widenPool', 'recordScale'], rate: 0.05 },
    { kind: 'slow', apis: ['widenPool', 'readJob', 'invoke prepare'], rate: 0.1 },
    { kind: 'freeze', apis: ['invoke prepare', 'decide'], rate: 0.03 },
  ],
  // Leaders are elected while output is sent (drawElections).
  elections: [],
  // While a commit drags on, epochs behind it fail.
  pipeline: [
    { kind: 'slow', apis: ['invoke commit'], rate: 0.5 },
    { kind: 'slow', apis: ['invoke read', 'invoke process'], rate: 0.4 },
    { kind: 'lose', apis: ['invoke process', 'commit'], rate: 0.15 },
    { kind: 'error', apis: ['invoke read', 'invoke process'], rate: 0.1 },
  ],
  // People stop, cancel and delete the job while others, and processes that slept meanwhile, go on with it.
  commands: [
    { kind: 'command', apis: ['decide', 'invoke commit', 'invoke prepare', 'recordCommitted', 'readJob', 'widenPool'], rate: 0.04 },
    { kind: 'freeze', apis: ['forgetEpochs', 'list', 'deleteEpochs', 'describeTransactions', 'reviveGeneration', 'decide'], rate: 0.08 },
    { kind: 'crash', apis: ['forgetEpochs', 'deleteEpochs', 'deleteJob', 'releaseLease'], rate: 0.06 },
    { kind: 'late', apis: ['forgetEpochs', 'deleteJob', 'initProducerId', 'decide', 'invoke prepare'], rate: 0.04 },
    { kind: 'lose', apis: ['commit', 'invoke commit'], rate: 0.1 },
    { kind: 'command', apis: ['forgetEpochs', 'list', 'listIncarnations', 'deleteEpochs', 'describeTransactions'], rate: 0.4 },
    { kind: 'rival', apis: ['deleteEpochs', 'deleteJob', 'list', 'decide'], rate: 0.04 },
  ],
  // Savepoints come and go while the job retires, collects and is deleted, and processes that slept meanwhile go on with it.
  savepoints: [
    { kind: 'depose', apis: ['retireThrough', 'listEpochs', 'listSavepoints', 'list', 'delete'], rate: 0.15 },
    {
      kind: 'freeze',
      apis: ['createSavepoint', 'moveSavepoint', 'listSavepoints', 'list', 'delete', 'readEpoch', 'retireThrough'],
      rate: 0.06,
    },
    { kind: 'late', apis: ['createSavepoint', 'moveSavepoint', 'deleteSavepoint', 'beginIncarnation', 'put'], rate: 0.06 },
    { kind: 'lose', apis: ['createSavepoint', 'moveSavepoint', 'beginIncarnation', 'forgetFormer'], rate: 0.2 },
    { kind: 'crash', apis: ['moveSavepoint', 'deleteSavepoint', 'beginIncarnation', 'delete', 'list'], rate: 0.05 },
    { kind: 'command', apis: ['decide', 'beginIncarnation'], rate: 0.015 },
    { kind: 'hand-over', apis: ['decide'], rate: 0.05 },
  ],
  garbage: [
    { kind: 'depose', apis: ['retireThrough', 'listEpochs', 'list', 'delete'], rate: 0.3 },
    { kind: 'hand-over', apis: ['decide'], rate: 0.1 },
    { kind: 'late', apis: ['put'], rate: 0.03 },
  ],
};

/** Jobs that a focus is about. Not there: all. */
const FOCUSED_JOBS: { readonly [F in Focus]?: readonly SimJob[] } = {
  time: [...timedJobs, ...fadingJobs],
  windows: windowedJobs,
  connected: [...connectedJobs, ...branchingJobs, ...askingJobs],
  held: alignedJobs,
  tables: tableJobs,
  routing: routingJobs,
  reach: [reaching],
};

function kindsOf(seed: number): { readonly dice: Dice; readonly scale: number; readonly kinds: readonly DrawnKind[] } {
  const dice = new Dice(hashOf(seed, 'faults'));
  const scale = dice.spread(0.2, 4);
  return { dice, scale, kinds: KINDS.filter(() => dice.chance(0.55)) };
}

function mayBeDeleted(seed: number): boolean {
  const focus = focusOf(seed);
  return focus === 'commands' || focus === 'savepoints' || (focus === 'anything' && kindsOf(seed).kinds.includes('command'));
}

/** How likely a leader refuses output that is sent outside a transaction: it must come in its order all the same. */
const PLAIN_REFUSED = 0.08;

/** Faults for one seed: some kinds of them, more or less often; each by the name of its call and nothing else. */
function drawnFaults(seed: number, focus: Focus): Faults {
  const { dice, scale, kinds } = kindsOf(seed);
  const active = kinds.map((kind) => ({ kind, rate: RATES[kind] * scale * dice.spread(0.3, 3) }));
  const longest = ['anything', 'commands', 'savepoints'].includes(focus) ? dice.spread(2_000, 90_000) : dice.spread(1_000, 8_000);
  return (call) => {
    const own = new Dice(hashOf(seed, `fault ${call.id}`));
    for (const { kind, apis, rate } of FOCUSED[focus])
      if (apis.includes(call.api) && own.chance(rate)) return faultOf(kind, call, own, longest);
    if (call.api === 'produce' && call.about.startsWith('plain') && own.chance(PLAIN_REFUSED)) return { fault: 'error' };
    if (focus !== 'anything') return undefined;
    const more = RARE.includes(call.api) ? 4 : 1;
    for (const { kind, rate } of active) {
      if (!own.chance(Math.min(rate * more, 0.5))) continue;
      const fault = faultOf(kind, call, own, longest);
      if (fault !== undefined) return fault;
    }
    return undefined;
  };
}

/** What is wrong with the wall clocks of a seed: nothing, in most of them. */
function clocksOf(seed: number): { readonly drift: number; readonly stepRate: number; readonly longestStepMs: number } {
  const dice = new Dice(hashOf(seed, 'clocks'));
  const wrong = dice.chance(0.4);
  return {
    drift: wrong ? dice.spread(0.0001, 0.02) : 0,
    stepRate: wrong ? dice.spread(0.001, 0.03) : 0,
    longestStepMs: dice.spread(100, 60_000),
  };
}

function clockSteps(seed: number): Faults {
  const { stepRate, longestStepMs } = clocksOf(seed);
  return (call) => {
    const own = new Dice(hashOf(seed, `clock step ${call.id}`));
    if (!own.chance(stepRate)) return undefined;
    return { fault: 'clock-step', byMs: own.pick([-1, 1]) * own.spread(20, longestStepMs) };
  };
}

function faultOf(kind: DrawnKind, call: Call, dice: Dice, longestMs: number): Fault | undefined {
  switch (kind) {
    case 'crash':
      return { fault: 'crash', when: dice.pick(['before', 'after']) };
    case 'freeze':
      return { fault: 'freeze', when: dice.pick(['before', 'after']), forMs: dice.spread(200, longestMs) };
    case 'lose':
      return { fault: 'lose', what: dice.pick(['request', 'answer']) };
    case 'late':
      return { fault: 'late', byMs: dice.spread(20, longestMs) };
    case 'slow':
      return { fault: 'slow', byMs: dice.spread(20, Math.min(longestMs, 8_000)) };
    case 'twice':
      return call.service === 'functions' ? { fault: 'twice', byMs: dice.spread(1, longestMs) } : undefined;
    case 'cold':
      return call.service === 'functions' ? { fault: 'cold' } : undefined;
    case 'outage':
      return { fault: 'outage', forMs: dice.spread(100, longestMs) };
    case 'partition':
      return { fault: 'partition', forMs: dice.spread(100, longestMs) };
    case 'depose':
      return call.caller.role === 'coordinator' ? { fault: 'depose', forMs: dice.spread(100, longestMs) } : undefined;
    case 'command':
      if (call.caller.role === 'coordinator')
        return { fault: 'command', run: dice.pick(COMMANDS), forMs: dice.chance(0.5) ? 0 : dice.spread(100, longestMs) };
      // A command that stands still while somebody else does the same, and the job is started again.
      if (call.caller.role === 'command') return { fault: 'command', run: 'delete', forMs: dice.between(5_000, 70_000) };
      return undefined;
    case 'rival':
      return call.caller.role === 'coordinator' || call.caller.role === 'command' ? { fault: kind } : undefined;
    case 'hand-over':
    case 'stop':
      return call.caller.role === 'coordinator' ? { fault: kind } : undefined;
    default:
      return { fault: kind };
  }
}

/** Everything about one run, from its seed; also what it is about, unless that is said. */
export function drawWorld(seed: number, change: Partial<WorldOptions> = {}, focus = focusOf(seed)): WorldOptions {
  const dice = new Dice(hashOf(seed, 'shape'));
  const job = drawJob(seed, dice, FOCUSED_JOBS[focus]);
  const inputPartitions = dice.whole(2, 3);
  const faultsUntilMs = focus === 'garbage' || focus === 'savepoints' ? 45_000 : dice.between(8_000, 25_000);
  const schedule = new Dice(hashOf(seed, 'schedule'));
  const watch: WorldOptions['watch'] = schedule.chance(0.3)
    ? { how: 'revival', everyMs: schedule.pick([5_000, 20_000]), standby: schedule.pick(['none', 'keep']) }
    : { how: 'explicit' };
  const widths = Array.from({ length: 7 }, () => ({ source: dice.whole(1, 2), operator: dice.whole(1, 2), sink: dice.whole(1, 2) }));
  const maxProducerEpoch = schedule.chance(0.8) ? 32_767 : schedule.whole(3, 8);
  const drawn = drawnFaults(seed, focus);
  const rescales = drawRescales(seed, job, faultsUntilMs, focus === 'rescales' ? 1 : undefined);
  const rescaled = { source: RESCALED_BETWEEN, operator: RESCALED_BETWEEN, sink: RESCALED_BETWEEN };
  const topics = drawTopics(seed, { job, inputPartitions, untilMs: faultsUntilMs, makesSourcesAnew: focus === 'sources-anew' });
  const steps = clockSteps(seed);
  const outputPartitions = dice.whole(1, 3);
  const batches = focus === 'anything' ? undefined : 60;
  const input = [
    ...withPoison(seed, drawInput(dice, [...shapeOf(job).sources.values()], inputPartitions, faultsUntilMs, batches)),
    ...topics.input,
  ];
  return {
    seed,
    job,
    inputPartitions,
    outputPartitions,
    input,
    topicChanges: topics.topicChanges,
    topicChangeAt: topics.topicChangeAt,
    replicationMs: topics.replicationMs,
    startingOffsets: dice.chance(0.8) ? 'earliest' : 'latest',
    delivery: drawDelivery(seed),
    settings: {
      checkpointIntervalMs: dice.pick([200, 500, 1_000]),
      maxEpochBytes: dice.pick([200, 600, 1_000_000]),
      maxConcurrentEpochs: dice.whole(1, 3),
      retainedCheckpoints: dice.whole(1, 3),
      takeover: dice.pick(['allow', 'allow', 'refuse']),
      poisonAttempts: isFaulty(seed) ? 2 + (seed % 2) : Number.POSITIVE_INFINITY,
      ...topics.settings,
      ...(rescales && drawPolicy(seed)),
      idleExitMs: watch?.how === 'revival' ? schedule.pick([undefined, 1_500]) : undefined,
    },
    inlineBlobBytes: dice.pick([0, 0, 150, 16_384]),
    ...drawStateMemory(seed),
    parallelism: (coordinator) => parallelismOf(job, widths[(coordinator - 1) % widths.length] ?? { source: 1, operator: 1, sink: 1 }),
    oneAtATime: dice.chance(0.5),
    clockSkewMs: dice.pick([0, 50, 1_000]),
    clockDrift: clocksOf(seed).drift,
    markerDelayMs: dice.chance(0.8) ? [0.5, 20] : [5, 2_000],
    maxProducerEpoch,
    forgottenEnds: maxProducerEpoch > 1_000 && schedule.chance(0.4) ? schedule.spread(0.01, 0.3) : 0,
    ...drawBroker(seed, job, faultsUntilMs, maxProducerEpoch > 1_000),
    endsUploadAt: drawEndedUploads(seed),
    tokenLifetimeMs: dice.pick([600_000, 200]),
    fetchBytes: dice.pick([100, 400, 1_000_000]),
    updateAtMs: job.grows ? dice.between(1_000, faultsUntilMs * 0.8) : undefined,
    faults: (call) => drawn(call) ?? steps(call),
    faultsUntilMs,
    ending: dice.chance(0.75) ? 'stop' : 'wait',
    ...drawUserCode(seed),
    watch,
    history: false,
    ...drawManifests(seed, job, input),
    ...(rescales && { rescales, parallelism: () => parallelismOf(job, rescaled) }),
    ...drawStrands(seed),
    ...(focus !== 'commands' && drawDenials(seed, job, faultsUntilMs)),
    savepoints: drawSavepoints(seed, faultsUntilMs, focus === 'savepoints' && job.grows !== true),
    // A late sender of the incarnation before cannot be told from the present one's.
    ...(focus === 'savepoints' && { delivery: () => 'exactly-once' as const }),
    ...(focus === 'elections' && drawElections(seed, job, faultsUntilMs)),
    ...(focus === 'starts' && { startsTwice: true }),
    ...change,
  };
}

/** In half of the seeds somebody ends uploads of files, or of the lists of them, that are decided. */
function drawEndedUploads(seed: number): WorldOptions['endsUploadAt'] {
  const dice = new Dice(hashOf(seed, 'ended uploads'));
  const rate = dice.chance(0.5) ? dice.spread(0.01, 0.2) : 0;
  return (call) => new Dice(hashOf(seed, `ended upload ${call.id}`)).chance(rate);
}

/**
 * Laid over what some seeds draw: ends are forgotten, and the producer ids that they were forgotten under are replaced, because their
 * epochs are used up or nobody used them for long. What is open then no client can end.
 */
function drawStrands(seed: number): Partial<WorldOptions> {
  const dice = new Dice(hashOf(seed, 'stranded transactions'));
  if (!dice.chance(0.1)) return {};
  return {
    strands: true,
    forgottenEnds: dice.spread(0.02, 0.3),
    maxProducerEpoch: dice.chance(0.5) ? dice.whole(3, 8) : 32_767,
    expireAtMs: Array.from({ length: dice.whole(1, 4) }, () => dice.between(500, 20_000)),
  };
}

/** Rights are taken away from a job that writes files. */
function drawDenials(seed: number, job: SimJob, untilMs: number): Pick<WorldOptions, 'filesDeniedAtMs'> {
  const dice = new Dice(hashOf(seed, 'rights'));
  if (![...shapeOf(job).others.values()].includes('files') || !dice.chance(0.2)) return {};
  return { filesDeniedAtMs: [dice.between(500, untilMs * 0.9)] };
}

/** Partitions have no leader for a moment, again and again, while several pieces of output are sent to them. */
function drawElections(seed: number, job: SimJob, untilMs: number): Partial<WorldOptions> {
  const dice = new Dice(hashOf(seed, 'elections'));
  const topics = [...shapeOf(job).sinks.values()].flat();
  return {
    delivery: () => 'at-least-once',
    parallelism: () => parallelismOf(job, { source: 1, operator: 3, sink: 1 }),
    leaderless: Array.from({ length: 80 }, () => ({
      atMs: dice.between(500, untilMs),
      topic: dice.pick(topics),
      partition: dice.whole(0, 2),
      forMs: dice.spread(10, 300),
    })),
  };
}

/** What happens to the sinks' topics besides. Not both, but in the seeds of `drawStrands`: ends are forgotten, producer ids are replaced. */
function drawBroker(
  seed: number,
  job: SimJob,
  untilMs: number,
  forgets: boolean,
): Pick<WorldOptions, 'leaderless' | 'strangers' | 'expireAtMs' | 'forgottenEnds'> {
  const dice = new Dice(hashOf(seed, 'broker events'));
  const topics = [...shapeOf(job).sinks.values()].flat();
  const times = (most: number) => Array.from({ length: dice.whole(1, most) }, () => dice.between(500, untilMs * 0.9));
  const leaderless = dice.chance(0.3)
    ? times(5).map((atMs) => ({ atMs, topic: dice.pick(topics), partition: dice.whole(0, 2), forMs: dice.spread(20, 3_000) }))
    : [];
  const strangers = dice.chance(0.3)
    ? times(25).map(
        (atMs, index): InputBatch => ({
          atMs,
          topic: dice.pick(topics),
          partition: 0,
          lines: [`stranger ${index}`],
          how: dice.pick(['plain', 'commit', 'abort']),
          endsAfterMs: dice.spread(1, 6_000),
        }),
      )
    : [];
  const expireAtMs = times(3);
  return forgets && dice.chance(0.8) ? { leaderless, strangers } : { strangers, expireAtMs, forgottenEnds: 0 };
}

/**
 * Most jobs deliver exactly once; some at least once; and some change that with each coordinator. Not where the job may be
 * deleted: what a late sender of the deleted one sends again cannot be told from what the new one sends.
 */
function drawDelivery(seed: number): (coordinator: number) => DeliveryGuarantee {
  const dice = new Dice(hashOf(seed, 'delivery'));
  const kind = dice.next();
  if (kind < 0.6 || mayBeDeleted(seed)) return () => 'exactly-once';
  if (kind < 0.8) return () => 'at-least-once';
  const drawn = Array.from({ length: 7 }, () => dice.pick(['exactly-once', 'at-least-once'] as const));
  return (coordinator) => drawn[coordinator % drawn.length] ?? 'exactly-once';
}

export function parallelismOf<T extends Subtasks>(
  job: SimJob,
  width: { readonly source: T; readonly operator: T; readonly sink: T },
): Record<string, T> {
  const { sources, operators, sinks } = shapeOf(job);
  return Object.fromEntries<T>([
    ...[...sources.keys()].map((uid) => [uid, width.source] as const),
    ...operators.map((uid) => [uid, width.operator] as const),
    ...[...sinks.keys()].map((uid) => [uid, width.sink] as const),
  ]);
}

/** Seeds in which the author's functions fail: none of those that are about something else. */
function isFaulty(seed: number): boolean {
  return focusOf(seed) === 'anything' && new Dice(hashOf(seed, 'user code')).chance(0.45);
}

function drawUserCode(seed: number): Pick<WorldOptions, 'userCode'> {
  if (!isFaulty(seed)) return {};
  const dice = new Dice(hashOf(seed, 'user code options'));
  const chance = dice.chance(0.4) ? dice.spread(0.002, 0.03) : 0;
  const how = dice.pick(['always', 'always', 'never', 'changing']);
  return { userCode: { chance, leavesOut: (coordinator) => how === 'always' || (how === 'changing' && coordinator % 2 === 1) } };
}

/** Words that make the author's functions fail, in a few of the lines. */
function withPoison(seed: number, input: readonly InputBatch[]): InputBatch[] {
  const dice = new Dice(hashOf(seed, 'poison'));
  if (!isFaulty(seed)) return [...input];
  const words = ['p', 'q', 'r1', 's2', 's4', 'u', 'q']
    .filter(() => dice.chance(0.4))
    .map((word, index) => `${word}${word.length === 1 ? index : `x${index}`}`);
  const at = words.map(() => dice.whole(0, input.length - 1));
  return input.map((batch, index) => {
    const own = words.filter((_, which) => at[which] === index);
    return own.length === 0 ? batch : { ...batch, lines: [...batch.lines, ...own.map((word) => `ant ${word} #${word}`)] };
  });
}

const WORDS = ['ant', 'bee', 'cow', 'auk', 'bat', 'cat'];

function drawInput(dice: Dice, topics: readonly string[], partitions: number, untilMs: number, count?: number): InputBatch[] {
  const batches = count ?? (dice.chance(0.7) ? dice.whole(8, 16) : dice.whole(25, 45));
  let line = 0;
  return Array.from(
    { length: batches },
    (_, index): InputBatch => ({
      atMs: index < 2 ? 0 : dice.between(0, untilMs),
      topic: dice.pick(topics),
      partition: dice.whole(0, partitions - 1),
      lines: Array.from(
        { length: dice.whole(1, 5) },
        () => `${Array.from({ length: dice.whole(1, 3) }, () => dice.pick(WORDS)).join(' ')} #${line++}`,
      ),
      how: dice.pick(['plain', 'plain', 'commit', 'abort']),
      endsAfterMs: dice.spread(1, 3_000),
    }),
  );
}

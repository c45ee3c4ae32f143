import { edit, type Mutant } from '../mutant.ts';

const ON_EVENT = 'lib/epoch/loop/on-event.ts';
const TURN = 'lib/epoch/loop/turn.ts';
const PERFORM = 'lib/epoch/coordinator/perform.ts';
const START = 'lib/epoch/start/start.ts';
const SCALE = 'lib/epoch/scale/scale.ts';
const FINISH = 'lib/epoch/coordinator/finish.ts';
const MOVED = 'lib/epoch/start/source-offsets.ts';
const NEW_NAMES = 'lib/epoch/start/new-names.ts';
const CHECK_STATE = 'lib/epoch/start/check-state.ts';

export const coordination: readonly Mutant[] = [
  {
    name: 'an offset is one of the topic with the id that was read',
    edits: [
      edit('lib/epoch/planning/plan.ts', 'const isAnother = ids !== undefined && wanted > 0;', 'const isAnother = false as boolean;'),
    ],
  },
  {
    name: 'a start judges a decided epoch by what was sent again of it',
    edits: [edit(START, 'recorded: row.sentAgain, isOld: true', 'recorded: undefined, isOld: true')],
    focus: 'doubt',
  },
  {
    name: 'what a dropped attempt left open of a subtask without output is ended by the next attempt',
    edits: [
      edit(
        TURN,
        'if (sinkStartedMs !== undefined) change(turn, { endsLeftovers: widest(turn.state.endsLeftovers ?? parallelism, parallelism) });',
        '',
      ),
    ],
  },
  {
    name: 'a plan that was made for a dropped epoch is dropped',
    edits: [edit(ON_EVENT, 'if (base !== newestDecision(turn.state) || isEnding', 'if (isEnding')],
  },
  {
    name: 'what builds on a failed attempt is dropped with it',
    edits: [
      edit(
        TURN,
        'const dropped = inFlight.slice(at); change(turn, { inFlight: inFlight.slice(0, at) });',
        'const dropped = inFlight.slice(at, at + 1); change(turn, { inFlight: inFlight.toSpliced(at, 1) });',
      ),
    ],
  },
  {
    name: 'results of a dropped attempt are not taken',
    edits: [edit(ON_EVENT, '.find(({ decisionId }) => decisionId === of.decisionId)', '.find(({ epoch }) => epoch === of.epoch)')],
  },
  {
    name: 'recovery commits what is decided before it goes on',
    edits: [
      edit(
        START,
        'if (last !== undefined && row.lastCommitted < last.epoch) {',
        'if (last !== undefined && row.lastCommitted < last.epoch && last.epoch < 0) {',
      ),
    ],
  },
  {
    name: 'every transactional id is settled at start',
    edits: [edit(START, 'const settledIds = await settlePool(held);', 'const settledIds = 0;')],
  },
  {
    name: 'every transactional id is settled at stop',
    edits: [
      edit(PERFORM, 'else await recordCommitted(held, record); await settlePool(held);', 'else await recordCommitted(held, record);'),
    ],
  },
  {
    name: 'only what a record did makes epochs smaller and leaves it out',
    edits: [
      edit(
        'lib/epoch/failure/after-failure.ts',
        "const isOfRecord = failed.kind === 'user-code' || failed.kind === 'record';",
        "const isOfRecord = failed.kind !== 'stale';",
      ),
    ],
  },
  {
    name: 'a record is poison only when it failed alone',
    edits: [
      edit('lib/epoch/failure/isolate.ts', 'if (size === 1) return', 'if (size >= 1) return'),
      edit('lib/epoch/failure/isolate.ts', 'Math.max(Math.floor(left / 2), 1)', 'left'),
    ],
  },
  {
    name: 'starting offsets are resolved once',
    edits: [
      edit(
        START,
        'sourceStages(settings).filter(({ id, topic }) => ofName(ofName(named?.offsets, id), topic) === undefined);',
        'sourceStages(settings);',
      ),
    ],
  },
  {
    name: 'a source that is added leaves the offsets of the others as they are',
    edits: [edit(START, 'let offsets: SourceOffsets = named?.offsets ?? {};', 'let offsets: SourceOffsets = {};')],
  },
  {
    name: 'a source that is added leaves the state as it is',
    edits: [edit(START, 'state: named?.state ?? {}', 'state: {}')],
  },
  {
    name: 'whoever brings a job to rest commits what is decided',
    focus: 'commands',
    edits: [
      edit(
        FINISH,
        'const isOver = completed === undefined || completed.epoch <= row.lastCommitted;',
        'const isOver = completed === undefined || completed.epoch >= 0;',
      ),
    ],
  },
  {
    name: 'a partition that was added is read from its first offset, also when that is gone',
    edits: [
      edit(
        'lib/epoch/planning/plan-epoch.ts',
        'const from = [...known, ...partitions.slice(known.length).map(() => 0)];',
        'const from = [...known, ...starts.slice(known.length)];',
      ),
    ],
  },
  {
    name: 'a time that has come is a reason for an epoch',
    focus: 'time',
    edits: [edit(ON_EVENT, 'if (dueInMs <= 0) return takeTime(turn, held);', '')],
  },
  {
    name: 'a sink has no more subtasks than there are in the pool',
    edits: [edit(SCALE, "kind === 'sink' ? Math.min(wanted, subtasksOf(pooled, id)) : wanted", 'wanted')],
    focus: 'rescales',
  },
  {
    name: 'sources go on where a start says, and not at the offsets of its savepoint',
    focus: 'moves',
    edits: [edit(MOVED, 'if (point === undefined) return manifest;', 'if (point !== manifest) return manifest;')],
  },
  {
    name: 'offsets of elsewhere are of the topics that were asked for them',
    focus: 'moves',
    edits: [edit(MOVED, 'if (topicId !== undefined) topicIds.push', "if (topicId === '') topicIds.push")],
  },
  {
    name: 'of partitions elsewhere nothing is known',
    focus: 'moves',
    edits: [edit(MOVED, 'isKnown(id) ? { ...of, partitions: {} } : of', 'isKnown(id) ? { ...of } : of')],
  },
  {
    name: 'a source that goes on elsewhere keeps its watermark',
    focus: 'moves',
    edits: [edit(MOVED, 'isKnown(id) ? { ...of, partitions: {} } : of', 'isKnown(id) ? { partitions: {} } : of')],
  },
  {
    name: 'what an operator had under its former uid is what it goes on with',
    focus: 'updates',
    edits: [edit(NEW_NAMES, 'const former = formerOf(uid, names);', 'const former = names.find(() => false);')],
  },
  {
    name: 'state of an operator that the job does not know is not left behind',
    focus: 'updates',
    edits: [
      edit(NEW_NAMES, 'const former = formerOf(uid, names);', 'const former = names.find(() => false);'),
      edit(CHECK_STATE, 'if (isOwn && uids.has(operator)) continue;', 'if (isOwn || !uids.has(operator)) continue;'),
    ],
  },
  {
    name: 'a stage that another operator comes before keeps its watermark',
    focus: 'updates',
    edits: [
      edit(
        NEW_NAMES,
        'const watermark = watermarkOf(stage, time, plan);',
        'const watermark = watermarkOf(stage, { ...time, sources: {}, stages: {} }, plan);',
      ),
    ],
  },
  {
    name: 'of a stage that there is no more no watermark is kept',
    focus: 'updates',
    edits: [
      edit(
        NEW_NAMES,
        'const known = Object.entries(time.stages).filter(([id]) => ids.has(id));',
        'const known = Object.entries(time.stages).filter(([id]) => ids.has(id) || true);',
      ),
    ],
  },
  {
    name: 'the first epoch of a changed graph has the new names before anything runs',
    focus: 'updates',
    edits: [edit(START, 'last === named && unread.length === 0', 'unread.length === 0')],
  },
];

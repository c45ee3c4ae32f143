import { edit, type Mutant } from '../mutant.ts';

const OPERATOR = 'lib/stages/operator.ts';
const SERVE = 'lib/stages/serve.ts';
const UNREAD = 'lib/stages/unread-state.ts';

export const stages: readonly Mutant[] = [
  {
    name: 'warm state is used only under the id of the snapshot that it equals',
    edits: [edit(OPERATOR, 'if (same) return { runtime, unread };', 'if (same || runtime !== undefined) return { runtime, unread };')],
  },
  {
    name: 'warm state loses its id before it is changed',
    edits: [edit(OPERATOR, 'warm.runtime = undefined;', '')],
  },
  {
    name: 'a narrower or wider subtask writes its own snapshot',
    edits: [
      edit(
        OPERATOR,
        'if (!rescaled && !state.changed()) return previous;',
        'if (previous !== undefined && !state.changed()) return previous;',
      ),
    ],
  },
  {
    name: 'the writes of a stage are awaited together, so that none is rejected unheard',
    edits: [edit('lib/stages/common.ts', 'await Promise.all(underWay)', 'await Array.fromAsync(underWay)')],
  },
  {
    name: 'the barrier of a source is where it stopped reading, not where it was to stop',
    edits: [edit('lib/stages/source.ts', 'next: positions[index] ?? 0', 'next: request.ranges[index]?.bound ?? 0')],
  },
  {
    name: 'functions of another build refuse',
    edits: [edit(SERVE, "if (request.build !== build && !isNeverStale(request.ask)) return { outcome: 'stale', build };", '')],
  },
  {
    name: 'commit and resolve are never refused for their build',
    edits: [edit(SERVE, 'return Object.hasOwn(NEVER_STALE, ask) && NEVER_STALE[ask', 'return false && NEVER_STALE[ask')],
  },
  {
    name: 'a snapshot says what of it is due',
    focus: 'time',
    edits: [
      edit(
        OPERATOR,
        '...(baseParts !== undefined && { baseParts }), due: state.due() };',
        '...(baseParts !== undefined && { baseParts }), due: previous.due };',
      ),
    ],
  },
  {
    name: 'what all hold alike is known by the attempt that made it',
    focus: 'connected',
    edits: [edit('lib/stages/operator.ts', 'return decisionId;', "return decisionId === '' ? decisionId : 'shared';")],
  },
  {
    name: 'what timers make is waited for as well',
    focus: 'connected',
    edits: [
      edit(
        'lib/stages/operator.ts',
        'runtime.endTime();\n    if (runtime.isWaiting) await runtime.settle(deps.clock, request.deadlineMs);',
        'runtime.endTime();',
      ),
    ],
  },
  {
    name: 'what a process keeps of a subtask is of the numbers that it was asked for',
    edits: [edit(SERVE, 'JSON.stringify([incarnation, subtasks, sinkFacts])', 'JSON.stringify([incarnation, sinkFacts, subtasks.length])')],
    focus: 'rescales',
  },
  {
    name: 'a key group that was not read is not taken for an empty one',
    edits: [
      edit(
        UNREAD,
        'if (keyGroup >= first && keyGroup <= last) residents?.leave(keyGroup, due);',
        'void [residents, keyGroup, first, last, due];',
      ),
    ],
  },
  {
    name: 'key groups in which something is due are read for it',
    focus: 'time',
    edits: [edit(OPERATOR, 'await unread?.readDue(request.time);', '')],
  },
  {
    name: 'of what waits in a key group the newest snapshot is right',
    focus: 'time',
    edits: [edit(UNREAD, 'snapshots.flatMap(blobsOf).map(headOf))', 'snapshots.flatMap(blobsOf).map(headOf).toReversed())')],
  },
  {
    name: 'a key group is read as a whole: its base and all its deltas',
    edits: [edit(UNREAD, 'state.loadLater(bases, deltas, keyGroups);', 'state.loadLater(bases, deltas.slice(0, 0), keyGroups);')],
  },
  {
    name: 'a base is all of its parts',
    edits: [edit(OPERATOR, 'const [base, ...deltas] = refs;', 'const [base, ...others] = refs; const deltas = others.slice(0, 0);')],
  },
];

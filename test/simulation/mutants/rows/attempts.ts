import { edit, type Mutant } from '../mutant.ts';

const STORE = 'lib/epoch/decision/decide-manifest.ts';
const ATTEMPT = 'lib/epoch/attempt/attempt.ts';
const ASK = 'lib/epoch/attempt/ask-stages.ts';
const SNAPSHOTS = 'lib/epoch/attempt/snapshots.ts';
const WAVEFRONT = 'lib/epoch/attempt/wavefront.ts';
const WATERMARKS = 'lib/time/watermarks.ts';

export const attempts: readonly Mutant[] = [
  {
    name: 'what was read counts only while its topic is there still',
    edits: [edit(ASK, 'firstProblem(answers) ?? (await topicProblem(deps, stage, attempt))', 'firstProblem(answers)')],
    focus: 'sources-anew',
  },
  {
    name: 'an ambiguous decision is repeated byte for byte',
    edits: [
      edit(
        STORE,
        'deps.epochs.decide(decision)',
        'deps.epochs.decide({ ...decision, leaseExpiresAtMs: deps.clock.now() + settings.leaseMs })',
      ),
    ],
  },
  {
    name: 'an ambiguous decision is not taken for made',
    edits: [edit(STORE, "if (answer === 'decided') return asDecided", "if (answer !== 'refused') return asDecided")],
  },
  {
    name: 'a refused decision is looked up in the job row before it counts as lost',
    edits: [edit('lib/epoch/decision/after-refusal.ts', "if (row?.lastCompleted?.decisionId === decisionId) return 'decided';", '')],
  },
  {
    name: 'a refused decision of another generation ends the coordinator',
    edits: [
      edit(
        'lib/epoch/decision/after-refusal.ts',
        "return isOwn(tenure, row) ? 'ambiguous' : 'superseded';",
        "return isOwn(tenure, row) ? 'ambiguous' : 'decided';",
      ),
    ],
  },
  {
    name: 'what is prepared is checked before it is decided',
    edits: [
      edit(
        ASK,
        'firstProblem(checked) ?? (await problemOf(deps, connector, prepared, settings.commitTimeoutMs));',
        'firstProblem(checked);',
      ),
    ],
  },
  {
    name: 'the sink stage is serial, and commits are in epoch order',
    edits: [
      edit(WAVEFRONT, "return stage.kind === 'sink' ? previous === undefined : previous === undefined", 'return previous === undefined'),
      edit(
        WAVEFRONT,
        'if (prepared && previous === undefined) steps',
        "if (prepared && (previous === undefined || previous.phase === 'decided' || previous.phase === 'committing')) steps",
      ),
      edit(WAVEFRONT, "if (phase === 'decided' && previous === undefined) steps", "if (phase === 'decided') steps"),
    ],
  },
  {
    name: 'decisions are in epoch order',
    edits: [
      edit(WAVEFRONT, "return stage.kind === 'sink' ? previous === undefined : previous === undefined", 'return previous === undefined'),
      edit(WAVEFRONT, 'if (prepared && previous === undefined) steps', 'if (prepared) steps'),
    ],
  },
  {
    name: 'a stage runs an epoch after it has finished the one before',
    edits: [
      edit(
        WAVEFRONT,
        "previous === undefined || previous.stages.get(stage.id) === 'done'",
        "previous === undefined || stage.kind === 'operator' || previous.stages.get(stage.id) === 'done'",
      ),
    ],
  },
  {
    name: 'a plan waits for the barrier of the epoch before',
    edits: [edit(WAVEFRONT, 'if (facts.mayPlan && sourcesRead &&', 'if (facts.mayPlan && (sourcesRead || true) &&')],
  },
  {
    name: 'an operator works on what the upstream subtasks sent in the order of these',
    edits: [
      edit('lib/epoch/attempt/stage-asks.ts', 'writtenBy(attempt, from).flatMap(', '[...writtenBy(attempt, from)].reverse().flatMap('),
    ],
  },
  {
    name: 'what is sent after the decision is named in it, of every subtask',
    edits: [
      edit('lib/epoch/attempt/stage-asks.ts', 'staged.length === 0 ? [] : [{ sink', 'staged.length === 0 || subtask > 0 ? [] : [{ sink'),
    ],
  },
  {
    name: 'processing time never goes back',
    focus: 'time',
    edits: [
      edit(ATTEMPT, 'Math.max(time?.processingMs ?? 0, Math.floor(wallMs))', 'Math.floor(wallMs)'),
      edit(WATERMARKS, 'Math.max(before?.processingMs ?? 0, epoch.processingMs)', 'epoch.processingMs'),
    ],
  },
  {
    name: 'a subtask without input runs when something of it is due',
    focus: 'time',
    edits: [edit('lib/epoch/attempt/stage-asks.ts', 'inputs.length === 0 && !isDue &&', 'inputs.length === 0 &&')],
  },
  {
    name: 'what was late before is counted on',
    focus: 'time',
    edits: [edit('lib/epoch/decision/position.ts', 'lateTogether([before.time?.late, lateIn(attempt)])', 'lateIn(attempt)')],
  },
  {
    name: 'what is broadcast reaches every subtask',
    focus: 'connected',
    edits: [edit('lib/epoch/attempt/stage-asks.ts', "parts[how === 'broadcast' ? 0 : subtask]", 'parts[subtask]')],
  },
  {
    name: 'a stage runs behind all that lead to it, also by a broadcast',
    focus: 'connected',
    edits: [
      edit(
        'lib/epoch/attempt/wavefront.ts',
        "if (edgesTo(plan, stage.id).some(({ from }) => attempt.stages.get(from) !== 'done')) return false;",
        "if (edgesTo(plan, stage.id).some(({ from, how }) => how !== 'broadcast' && attempt.stages.get(from) !== 'done')) return false;",
      ),
    ],
  },
  {
    name: 'a subtask begins with every snapshot that has a key group of its own',
    edits: [
      edit(
        SNAPSHOTS,
        'keyGroups.first <= range.last && keyGroups.last >= range.first',
        'keyGroups.first >= range.first && keyGroups.last <= range.last',
      ),
    ],
    focus: 'rescales',
  },
  {
    name: 'a subtask whose key groups have changed runs, though nothing came for it',
    edits: [
      edit(
        SNAPSHOTS,
        'return snapshots.length === 1 && only?.keyGroups.first === range.first && only.keyGroups.last === range.last;',
        'return snapshots.length <= 1;',
      ),
    ],
    focus: 'rescales',
  },
];

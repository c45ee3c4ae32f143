import { edit, type Mutant } from '../mutant.ts';

const COMMIT_EPOCH = 'lib/epoch/commit/commit-epoch.ts';
const RESOLVE = 'lib/sinks/kafka/resolve.ts';
const RUN_SINKS = 'lib/epoch/commit/run-sinks.ts';
const NEWEST = 'lib/epoch/commit/newest-committables.ts';

export const commits: readonly Mutant[] = [
  {
    name: 'what was sent again is checked before it is recorded',
    edits: [
      edit(
        COMMIT_EPOCH,
        'const problem = await problemOf(deps, connector, sentAgain, settings.commitTimeoutMs);',
        'const problem = undefined as { message: string } | undefined;',
      ),
      edit(RESOLVE, 'if (undecided.length > 0) return abortUndecided(asking, committable, who, undecided);', ''),
      edit(RESOLVE, "...rangesThatAre('aborted'), ...", "...rangesThatAre('aborted', 'undecided'), ..."),
    ],
  },
  {
    name: 'what was sent again is recorded before it is committed',
    edits: [
      edit(NEWEST, 'await writeHeld(held, what, (generation) => deps.epochs.recordSentAgain(settings.job, generation, next, seen));', ''),
    ],
  },
  {
    name: 'the pool of ids is widened, never narrowed, before an id is used',
    edits: [edit(RUN_SINKS, '}, recorded);', '}, {} as Pool);')],
  },
  {
    name: 'an epoch is committed in the way in which it was decided',
    edits: [
      edit(COMMIT_EPOCH, 'connector: connectorNamed(held.deps, connector),', "connector: held.deps.sinks.forTarget({ kind: 'kafka' }),"),
    ],
  },
  {
    name: 'at least once, output without an acknowledgement is sent again',
    edits: [edit('lib/epoch/commit/deliver-epoch.ts', "if (answer.outcome === 'sent') return;", "if (answer.outcome !== 'never') return;")],
  },
  {
    name: 'ids of transactions are settled also by a coordinator that makes none',
    edits: [
      edit(
        RUN_SINKS,
        '}, recorded);',
        "}, connectedSinks(deps, settings).some(({ connector }) => connector.how === 'delivered') ? {} : recorded);",
      ),
    ],
  },
  {
    name: 'a commit without an answer is asked for again',
    edits: [edit(COMMIT_EPOCH, '>= deadlineMs) return committables.map((of) => ({ of }));', '>= deadlineMs) return [];')],
  },
  {
    name: 'dead letters that are decided are committed by a run that has no sink for them',
    edits: [
      edit(
        COMMIT_EPOCH,
        'committablesBySink(manifest.committables).map(',
        'committablesBySink(manifest.committables.filter(({ sink }) => held.settings.plan.stages.some(({ id }) => id === sink))).map(',
      ),
    ],
  },
  {
    name: 'what a commit was refused for is what the job stops for',
    edits: [edit('lib/epoch/commit/commit-epoch.ts', "if (answer.outcome === 'unsettled' && refusal !== undefined) return [refusal];", '')],
    focus: 'reach',
  },
];

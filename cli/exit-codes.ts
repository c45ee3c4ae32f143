/** Exit codes, the same for every command. */
export const EXIT = {
  /** Done; the job is well. */
  ok: 0,
  /** The table, the broker or the blob store did not do what was asked; of `doctor`: something is wrong. */
  failed: 1,
  /** Wrong arguments or configuration; nothing was done. */
  usage: 2,
  noSuchJob: 3,
  /** The job failed and waits for a person. */
  jobFailed: 4,
  /** The job is to run, but its lease has run out: nobody runs it. */
  dead: 5,
  /** A transaction that nobody will end soon holds up readers. */
  heldUp: 6,
  /** Not finished within --timeout; the request stands. */
  timedOut: 7,
  /** Somebody started the job meanwhile. */
  startedAgain: 8,
  /** The job runs, has something to do, and makes no progress (`status`). */
  noProgress: 9,
  /** What was compared is not the same (`replay`, `rehearse`, `state diff`). */
  different: 10,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** What `--help` says of each. */
export const EXIT_WORDS: Readonly<Record<keyof typeof EXIT, string>> = {
  ok: 'well, done',
  failed: 'table, broker or blob store failed; doctor: something is wrong',
  usage: 'wrong arguments or configuration',
  noSuchJob: 'no such job',
  jobFailed: 'the job failed',
  dead: 'the job is to run and nobody runs it',
  heldUp: 'a transaction that nobody ends holds up readers',
  timedOut: 'not finished within --timeout',
  startedAgain: 'somebody started the job meanwhile',
  noProgress: 'the job runs and makes no progress',
  different: 'what was compared differs',
};

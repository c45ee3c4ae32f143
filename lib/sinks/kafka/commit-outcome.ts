/** `doubtful`: it is not committed in every partition, as far as the log shows; `resolve` goes on. */
export type CommitOutcome = { readonly outcome: 'committed' } | { readonly outcome: 'doubtful'; readonly why: string };

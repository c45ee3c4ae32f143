import { type Decision, MAX_ROW_MANIFEST_BYTES } from './epoch-store.ts';

/** Refuses what no coordinator may ever send. @throws Error: the decision contradicts itself */
export function checkDecision({ job, incarnation, epoch, decisionId, parentDecisionId, manifest }: Decision): void {
  const wrong = [
    (epoch === 0) !== (parentDecisionId === undefined) ? 'exactly epoch 0 has no parent' : undefined,
    manifest.at === 'row' &&
    (manifest.manifest.decisionId !== decisionId || manifest.manifest.epoch !== epoch || manifest.manifest.incarnation !== incarnation)
      ? `its manifest is of epoch ${manifest.manifest.epoch}, decision ${manifest.manifest.decisionId}, incarnation ${manifest.manifest.incarnation}`
      : undefined,
  ].filter((fault) => fault !== undefined);
  if (wrong.length > 0)
    throw new Error(
      `decision ${decisionId} of job ${job}, epoch ${epoch}, incarnation ${incarnation} contradicts itself: ${wrong.join('; ')}`,
    );
}

/** The manifest as its row keeps it, or the name of the blob that has it. @throws RangeError: it is too large for a row */
export function manifestColumns({
  job,
  epoch,
  manifest: ref,
}: Pick<Decision, 'job' | 'epoch' | 'manifest'>): { readonly manifest: string } | { readonly manifestBlob: string } {
  if (ref.at === 'blob') return { manifestBlob: ref.name };
  const manifest = JSON.stringify(ref.manifest);
  const bytes = Buffer.byteLength(manifest);
  if (bytes > MAX_ROW_MANIFEST_BYTES) {
    throw new RangeError(
      `the manifest of job ${job}, epoch ${epoch}, has ${bytes} bytes; a row holds ${MAX_ROW_MANIFEST_BYTES} (DynamoDB's limit is 400 KB): ` +
        'it has to be stored as a blob; ONCEFLOW_INLINE_BLOB_BYTES bounds what travels inside it',
    );
  }
  return { manifest };
}

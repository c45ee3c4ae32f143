import type { DecidedEpoch, Life } from './life.ts';

/** What of a decided epoch is not where it belongs. Each text begins with the sink's uid. */
export function missingOf(life: Pick<Life, 'taken' | 'appeared'>, { manifest, elsewhere }: DecidedEpoch): string[] {
  return [...elsewhere].flatMap(([where, { batches, rows }]) => {
    if (batches !== undefined)
      return batches.flatMap((_, batch) => (life.taken.has(`${where} ${manifest.epoch} ${batch}`) ? [] : [`${where}, batch ${batch}`]));
    const seen = life.appeared.get(`${where} ${manifest.epoch}`) ?? [];
    return (rows ?? []).flatMap((row) => (seen.includes(row) ? [] : [`${where}, row ${row}`]));
  });
}

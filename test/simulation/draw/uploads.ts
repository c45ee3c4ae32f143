import { Dice, hashOf } from '../kernel/dice.ts';
import { shapeOf } from '../sim-job.ts';
import type { Part } from './part.ts';

/** In half of the seeds somebody ends uploads of files, or of the lists of them, that are decided. */
export const drawEndedUploads: Part = ({ seed }) => {
  const dice = new Dice(hashOf(seed, 'ended uploads'));
  const rate = dice.chance(0.5) ? dice.spread(0.01, 0.2) : 0;
  return { endsUploadAt: (call) => new Dice(hashOf(seed, `ended upload ${call.id}`)).chance(rate) };
};

/** Rights are taken away from a job that writes files. Not where people cancel it meanwhile. */
export const drawDenials: Part = ({ seed, job, faultsUntilMs }, focus) => {
  if (focus === 'commands') return {};
  const dice = new Dice(hashOf(seed, 'rights'));
  if (![...shapeOf(job).others.values()].includes('files') || !dice.chance(0.2)) return {};
  return { filesDeniedAtMs: [dice.between(500, faultsUntilMs * 0.9)] };
};

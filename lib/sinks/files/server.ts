import type { SinkTargets } from '../../ports/sink-targets.ts';
import type { PreparedServer } from '../connector.ts';
import { commitFiles } from './commit.ts';
import { filesCommittable, uploadsOf } from './committable.ts';
import { prepareFiles } from './prepare.ts';
import { resolveFiles } from './resolve.ts';
import { prepareTerms } from './terms.ts';

/** The half in the sink's function: uploads that are completed after the decision. */
export function serveFiles(targets: SinkTargets): PreparedServer {
  return {
    how: 'prepared',
    async prepare(until, place, terms, staged) {
      const told = prepareTerms(terms);
      return prepareFiles(until, await targets.uploads(told.location), place, told, staged);
    },
    async commit(_until, permit, committable) {
      const files = filesCommittable(committable);
      return commitFiles(await targets.uploads(files.location), permit, files);
    },
    async resolve(_until, _permit, committable, { place }, staged) {
      const files = filesCommittable(committable);
      return resolveFiles(await targets.uploads(files.location), place, files, staged);
    },
    async abort(_until, committable) {
      const files = filesCommittable(committable);
      const store = await targets.uploads(files.location);
      await Promise.all(uploadsOf(files).map(({ key, upload }) => store.abort(key, upload)));
    },
  };
}

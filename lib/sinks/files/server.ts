import type { SinkTargets } from '../../ports/sink-targets.ts';
import { checkCovered } from '../../protocol/permit.ts';
import type { PreparedServer } from '../connector.ts';
import { commitFiles } from './commit.ts';
import { filesCommittable, uploadsOf } from './committable.ts';
import { prepareFiles } from './prepare.ts';
import { resolveFiles } from './resolve.ts';
import type { FileSinkSpec } from './spec.ts';
import { prepareTerms } from './terms.ts';
import type { FileWriter } from './upload.ts';

/** The half in the sink's function: uploads that are completed after the decision. */
export function serveFiles(targets: SinkTargets, specOf: (sink: string) => FileSinkSpec | undefined): PreparedServer {
  const writerFor = async (location: string, sink: string): Promise<FileWriter> => ({
    store: await targets.uploads(location),
    format: specOf(sink)?.format,
  });
  return {
    how: 'prepared',
    async prepare(until, place, terms, staged) {
      const told = prepareTerms(terms);
      return prepareFiles(until, await writerFor(told.location, place.sink), place, told, staged);
    },
    async commit(_until, permit, committable) {
      const files = filesCommittable(committable);
      return commitFiles(await targets.uploads(files.location), permit, files);
    },
    async resolve(_until, permit, committable, { place }, staged) {
      checkCovered(committable, permit);
      const files = filesCommittable(committable);
      return resolveFiles(await writerFor(files.location, place.sink), place, files, staged);
    },
    async abort(_until, committable) {
      const files = filesCommittable(committable);
      const store = await targets.uploads(files.location);
      await Promise.all(uploadsOf(files).map(({ key, upload }) => store.abort(key, upload)));
    },
  };
}
